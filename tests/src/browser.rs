//! A real browser without a window: Chromium, told by chromedriver what to do.
//!
//! Source: WebDriver, W3C Recommendation; the few commands that the tests need, as JSON over HTTP.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::RgbImage;
use reqwest::Method;
use serde_json::{Value, json};

use crate::glass::Glass;

/// What chromedriver says when it listens; the port follows.
const READY: &str = "started successfully on port ";

/// A browser with one page. It ends with its owner.
pub struct Browser {
    driver: Child,
    session: String,
    runtime: tokio::runtime::Runtime,
}

impl Browser {
    /// Starts one whose window is so large.
    ///
    /// # Errors
    /// When Chromium or chromedriver is not there: `./trundle test` installs both.
    pub fn start(width: u32, height: u32) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("runtime")?;
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("chromedriver cannot be started; ./trundle test installs chromium and chromium-driver")?;
        let said = driver.stdout.take().context("chromedriver's output")?;
        // From here on it ends with the browser, also when what follows fails.
        let mut browser = Self { driver, session: String::new(), runtime };
        let mut lines = BufReader::new(said).lines().map_while(Result::ok);
        let port = lines.find_map(|line| Some(line.split_once(READY)?.1.trim_end_matches('.').to_owned()));
        let driver = format!("http://127.0.0.1:{}", port.context("chromedriver said no port")?);
        // It must never write into a pipe that nobody empties.
        std::thread::spawn(move || lines.for_each(drop));
        let mut args = vec!["--headless=new".into(), format!("--window-size={width},{height}")];
        args.extend(["--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"].map(String::from));
        // Chromium does not shut itself in when root starts it; it opens nothing but our own page.
        if std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0) {
            args.push("--no-sandbox".into());
        }
        let wanted = json!({ "browserName": "chrome", "goog:chromeOptions": { "args": args } });
        let body = json!({ "capabilities": { "alwaysMatch": wanted } });
        let made = browser.ask(Method::POST, &format!("{driver}/session"), &body).context("Chromium does not start")?;
        let id = made["sessionId"].as_str().context("chromedriver gave no session")?;
        browser.session = format!("{driver}/session/{id}");
        Ok(browser)
    }

    /// Opens a page and waits until it is loaded.
    ///
    /// # Errors
    /// When it cannot be.
    pub fn open(&self, url: &str) -> anyhow::Result<()> {
        self.command("url", &json!({ "url": url })).map(drop)
    }

    /// What a piece of JavaScript returns; `arguments` are its arguments.
    ///
    /// # Errors
    /// When it throws.
    pub fn run(&self, script: &str, arguments: &[Value]) -> anyhow::Result<Value> {
        self.command("execute/sync", &json!({ "script": script, "args": arguments }))
    }

    /// A finger down and up at a place of the page, in its pixels.
    ///
    /// # Errors
    /// When the place is not on the page.
    pub fn touch(&self, x: f64, y: f64) -> anyhow::Result<()> {
        let to = json!({ "type": "pointerMove", "duration": 0, "x": x.round() as i64, "y": y.round() as i64 });
        let (down, up) = (json!({ "type": "pointerDown", "button": 0 }), json!({ "type": "pointerUp", "button": 0 }));
        // As long as a finger lies there.
        let lies = json!({ "type": "pause", "duration": 120 });
        let finger = json!({ "type": "pointer", "id": "finger", "parameters": { "pointerType": "touch" },
            "actions": [to, down, lies, up] });
        self.command("actions", &json!({ "actions": [finger] })).map(drop)
    }

    /// What the page looks like, as PNG.
    ///
    /// # Errors
    /// When there is no picture.
    pub fn screenshot(&self) -> anyhow::Result<Vec<u8>> {
        let said = self.ask(Method::GET, &format!("{}/screenshot", self.session), &Value::Null)?;
        STANDARD.decode(said.as_str().context("no picture")?).context("no picture")
    }

    fn command(&self, name: &str, body: &Value) -> anyhow::Result<Value> {
        self.ask(Method::POST, &format!("{}/{name}", self.session), body).with_context(|| name.to_owned())
    }

    fn ask(&self, method: Method, url: &str, body: &Value) -> anyhow::Result<Value> {
        self.runtime.block_on(async {
            let asked = reqwest::Client::new().request(method.clone(), url);
            let asked = if method == Method::POST { asked.json(body) } else { asked };
            let answer: Value = asked.send().await.context("chromedriver")?.json().await.context("chromedriver")?;
            match &answer["value"]["error"] {
                Value::String(error) => bail!("{error}: {}", answer["value"]["message"]),
                _ => Ok(answer["value"].clone()),
            }
        })
    }
}

/// The cart's page: its canvas is the window.
impl Glass for Browser {
    fn picture(&self) -> anyhow::Result<RgbImage> {
        let data = self.run("return document.getElementById('screen').toDataURL('image/png')", &[])?;
        let (_, data) = data.as_str().and_then(|data| data.split_once(',')).context("no canvas")?;
        Ok(image::load_from_memory(&STANDARD.decode(data)?)?.into_rgb8())
    }

    fn tap(&self, x: f32, y: f32) -> anyhow::Result<()> {
        let place = self.run(
            "const c = document.getElementById('screen'), box = c.getBoundingClientRect();
             return [box.left + arguments[0] * box.width / c.width, box.top + arguments[1] * box.height / c.height]",
            &[x.into(), y.into()],
        )?;
        self.touch(place[0].as_f64().context("x")?, place[1].as_f64().context("y")?)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Chromium ends with its session; a driver that is killed would leave it behind.
        if !self.session.is_empty() {
            drop(self.ask(Method::DELETE, &self.session, &Value::Null));
        }
        // It may have ended; then there is nothing to end.
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
