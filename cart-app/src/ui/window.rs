//! The two windows that show a cart's screen: the cart's own, and the demo's around it.

use slint::ComponentHandle;

use cart_ui::{
    App, AskData, BasketData, CartState, Conditions, Curves, DemoWindow, Intents, ItemData, ListData, OffersData,
    PayData, ProductData, ReceiptData, SearchData, Speech, StaffDevicesData, StaffEnrolData, StaffHomeData,
    StaffHubData, StaffIntents, StaffLogData, StaffPinData, StaffRecordingsData, StaffScaleData, StaffState, StartData,
    Theme, TripData, Typing, Waits, WeighData, WelcomeData, WishesData,
};

/// A window with the cart's screen in it: the adapters need only its globals.
#[allow(missing_docs, reason = "each is the markup's global of that name")]
pub trait CartWindow: ComponentHandle + 'static {
    fn theme(&self) -> Theme<'_>;
    fn state(&self) -> CartState<'_>;
    fn intents(&self) -> Intents<'_>;
    fn welcome(&self) -> WelcomeData<'_>;
    fn start(&self) -> StartData<'_>;
    fn list(&self) -> ListData<'_>;
    fn trip(&self) -> TripData<'_>;
    fn basket(&self) -> BasketData<'_>;
    fn ask(&self) -> AskData<'_>;
    fn search(&self) -> SearchData<'_>;
    fn weigh(&self) -> WeighData<'_>;
    fn pay(&self) -> PayData<'_>;
    fn receipt(&self) -> ReceiptData<'_>;
    fn item(&self) -> ItemData<'_>;
    fn product(&self) -> ProductData<'_>;
    fn offers(&self) -> OffersData<'_>;
    fn wishes(&self) -> WishesData<'_>;
    fn typing(&self) -> Typing<'_>;
    fn waits(&self) -> Waits<'_>;
    fn speech(&self) -> Speech<'_>;
    fn conditions(&self) -> Conditions<'_>;
    fn staff(&self) -> StaffState<'_>;
    fn staff_intents(&self) -> StaffIntents<'_>;
    fn staff_pin(&self) -> StaffPinData<'_>;
    fn staff_home(&self) -> StaffHomeData<'_>;
    fn staff_devices(&self) -> StaffDevicesData<'_>;
    fn curves(&self) -> Curves<'_>;
    fn staff_scale(&self) -> StaffScaleData<'_>;
    fn staff_hub(&self) -> StaffHubData<'_>;
    fn staff_enrol(&self) -> StaffEnrolData<'_>;
    fn staff_recordings(&self) -> StaffRecordingsData<'_>;
    fn staff_log(&self) -> StaffLogData<'_>;
}

macro_rules! cart_window {
    ($window:ty) => {
        impl CartWindow for $window {
            fn theme(&self) -> Theme<'_> {
                self.global()
            }
            fn state(&self) -> CartState<'_> {
                self.global()
            }
            fn intents(&self) -> Intents<'_> {
                self.global()
            }
            fn welcome(&self) -> WelcomeData<'_> {
                self.global()
            }
            fn start(&self) -> StartData<'_> {
                self.global()
            }
            fn list(&self) -> ListData<'_> {
                self.global()
            }
            fn trip(&self) -> TripData<'_> {
                self.global()
            }
            fn basket(&self) -> BasketData<'_> {
                self.global()
            }
            fn ask(&self) -> AskData<'_> {
                self.global()
            }
            fn search(&self) -> SearchData<'_> {
                self.global()
            }
            fn weigh(&self) -> WeighData<'_> {
                self.global()
            }
            fn pay(&self) -> PayData<'_> {
                self.global()
            }
            fn receipt(&self) -> ReceiptData<'_> {
                self.global()
            }
            fn item(&self) -> ItemData<'_> {
                self.global()
            }
            fn product(&self) -> ProductData<'_> {
                self.global()
            }
            fn offers(&self) -> OffersData<'_> {
                self.global()
            }
            fn wishes(&self) -> WishesData<'_> {
                self.global()
            }
            fn typing(&self) -> Typing<'_> {
                self.global()
            }
            fn waits(&self) -> Waits<'_> {
                self.global()
            }
            fn speech(&self) -> Speech<'_> {
                self.global()
            }
            fn conditions(&self) -> Conditions<'_> {
                self.global()
            }
            fn staff(&self) -> StaffState<'_> {
                self.global()
            }
            fn staff_intents(&self) -> StaffIntents<'_> {
                self.global()
            }
            fn staff_pin(&self) -> StaffPinData<'_> {
                self.global()
            }
            fn staff_home(&self) -> StaffHomeData<'_> {
                self.global()
            }
            fn staff_devices(&self) -> StaffDevicesData<'_> {
                self.global()
            }
            fn curves(&self) -> Curves<'_> {
                self.global()
            }
            fn staff_scale(&self) -> StaffScaleData<'_> {
                self.global()
            }
            fn staff_hub(&self) -> StaffHubData<'_> {
                self.global()
            }
            fn staff_enrol(&self) -> StaffEnrolData<'_> {
                self.global()
            }
            fn staff_recordings(&self) -> StaffRecordingsData<'_> {
                self.global()
            }
            fn staff_log(&self) -> StaffLogData<'_> {
                self.global()
            }
        }
    };
}

cart_window!(App);
cart_window!(DemoWindow);
