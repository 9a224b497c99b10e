//! Device threads that fall over.

use hal::RealClock;

use super::*;

fn threads() -> (Threads, Receiver<Input>, Failure) {
    let (inputs, queue) = sync_channel(64);
    let (failure, clock) = (Failure::default(), Arc::new(RealClock::new()));
    let shutdown = Arc::new(AtomicBool::new(false));
    (Threads { inputs, shutdown, clock, failure: failure.clone() }, queue, failure)
}

#[test]
fn a_device_thread_that_falls_over_is_started_again() {
    let (threads, queue, failure) = threads();
    let mut reads = 0;
    let read = move || {
        reads += 1;
        assert!(reads != 2, "a driver's own mistake");
        Ok(Input::Link { connected: reads > 2 })
    };
    threads.fast("scale", Device::Scale, read).expect("a thread");
    let next = || queue.recv_timeout(Duration::from_secs(60)).expect("the thread lives");
    assert!(matches!(next(), Input::Link { connected: false }));
    assert!(matches!(next(), Input::Link { connected: true }));
    assert_eq!(failure.why(), None);
    threads.shutdown.store(true, Ordering::SeqCst);
}

#[test]
fn one_that_always_falls_over_stops_the_program_and_is_named() {
    let (threads, queue, failure) = threads();
    let read = || -> Result<Input, DeviceError> { panic!("a driver's own mistake") };
    threads.fast("scale", Device::Scale, read).expect("a thread");
    drop(threads);
    // The last sender goes with the thread.
    assert!(matches!(queue.recv_timeout(Duration::from_secs(120)), Err(RecvTimeoutError::Disconnected)));
    assert!(failure.why().is_some_and(|why| why.contains("scale") && why.contains("a driver's own mistake")));
}
