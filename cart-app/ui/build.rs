//! Compiles the cart's screens.
fn main() {
    // Tests find what is on the screen by its accessible label, which needs the element names that
    // a packaged program leaves out.
    let developing = std::env::var("PROFILE").is_ok_and(|profile| profile == "debug");
    let config = slint_build::CompilerConfiguration::new()
        .with_debug_info(developing)
        .with_bundled_translations("../translations");
    slint_build::compile_with_config("app.slint", config).expect("the screens in cart-app/ui compile");
}
