//! Compiles the cart's screens.
fn main() {
    slint_build::compile("ui/app.slint").expect("the screens in ui/ compile");
}
