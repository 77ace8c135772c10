//! A headless Chromium and its driver, ended when dropped.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use thirtyfour::{
    ChromeCapabilities, ChromiumLikeCapabilities, DesiredCapabilities, LoggingPrefsLogLevel, WebDriver,
};

use crate::ignorable::{Missing, Tested};

/// As Debian's packages chromium and chromium-driver install them, or others.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Fine where there is a browser with its driver.
pub fn needed() -> Tested {
    let is_there = BROWSERS.into_iter().any(runs) && runs("chromedriver");
    let missing = || Missing("no browser: install chromium and chromium-driver".into());
    is_there.then_some(()).ok_or_else(missing)
}

fn runs(name: &str) -> bool {
    Command::new(name)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The driver's process.
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        // Asked to end, it also ends its browser; killed, it would leave it behind.
        let _ = rustix::process::kill_process(
            rustix::process::Pid::from_child(&self.0),
            rustix::process::Signal::TERM,
        );
        let _ = self.0.wait();
    }
}

/// Gives a test a window of its own, and looks afterwards that nothing went wrong unseen.
pub fn visit(width: u32, height: u32, test: impl AsyncFnOnce(&Window)) {
    let mut child = Command::new("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("chromedriver starts");
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let _driver = Driver(child);
    let port = port(&mut lines);
    // Its later words are read, lest it wait for a reader.
    std::thread::spawn(move || lines.lines().for_each(drop));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let driver =
            WebDriver::new(&format!("http://localhost:{port}"), wishes(width, height)).await.unwrap();
        let window = Window { driver };
        test(&window).await;
        window.driver.quit().await.unwrap();
    });
}

fn port(lines: &mut impl BufRead) -> u16 {
    let mut line = String::new();
    while lines.read_line(&mut line).unwrap() > 0 {
        if let Some((_, port)) = line.rsplit_once("successfully on port ") {
            return port.trim().trim_end_matches('.').parse().unwrap();
        }
        line.clear();
    }
    panic!("chromedriver did not tell its port");
}

fn wishes(width: u32, height: u32) -> ChromeCapabilities {
    let mut wishes = DesiredCapabilities::chrome();
    for wish in ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"] {
        wishes.add_arg(wish).unwrap();
    }
    // What fades in has no text to a driver as long as nothing of it is seen.
    wishes.add_arg("--force-prefers-reduced-motion").unwrap();
    wishes.add_arg(&format!("--window-size={width},{height}")).unwrap();
    // Chromium's own sandbox does not start for root, as whom containers of CI run.
    if rustix::process::geteuid().is_root() {
        wishes.add_arg("--no-sandbox").unwrap();
    }
    wishes.set_browser_log_level(LoggingPrefsLogLevel::All).unwrap();
    wishes.set_logging_prefs("performance", LoggingPrefsLogLevel::All).unwrap();
    wishes
}

/// A page in the browser.
pub struct Window {
    driver: WebDriver,
}

impl Window {
    pub async fn open(&self, url: &str) {
        self.driver.goto(url).await.unwrap();
    }

    pub async fn open_file(&self, folder: &Path) {
        self.open(&format!("file://{}", folder.join("index.html").display())).await;
    }

    /// Evaluates an expression in the page.
    pub async fn eval(&self, expression: &str) -> Value {
        let script = format!("return ({expression});");
        self.driver.execute(script, Vec::new()).await.unwrap().json().clone()
    }

    /// Waits until an expression is true.
    pub async fn until(&self, expression: &str) {
        let start = Instant::now();
        while self.eval(expression).await != json!(true) {
            assert!(start.elapsed() < Duration::from_secs(20), "never true: {expression}");
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    }

    /// Emulates a device, or a person's settings.
    pub async fn emulate(&self, method: &str, what: Value) {
        self.driver.cdp().send_raw(method, what).await.unwrap();
    }

    /// Presses a key as a keyboard does.
    pub async fn press(&self, key: impl Into<thirtyfour::TypingData>) {
        self.driver.active_element().await.unwrap().send_keys(key).await.unwrap();
    }

    pub async fn find(&self, css: &str) -> thirtyfour::WebElement {
        self.driver.find(thirtyfour::By::Css(css)).await.unwrap_or_else(|_| panic!("{css} is on the page"))
    }

    pub async fn click(&self, css: &str) {
        self.find(css).await.click().await.unwrap();
    }

    pub async fn text(&self, css: &str) -> String {
        self.find(css).await.text().await.unwrap()
    }

    /// Errors and warnings on the console since the last question.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.driver.browser_log().await.unwrap();
        log.into_iter().filter(|entry| entry.level != "INFO").map(|entry| entry.message).collect()
    }

    /// Addresses asked for since the last question.
    pub async fn requests(&self) -> Vec<String> {
        let log = self.driver.get_log("performance").await.unwrap();
        let entries = log.iter().filter_map(|entry| serde_json::from_str::<Value>(&entry.message).ok());
        entries
            .filter(|entry| entry["message"]["method"] == "Network.requestWillBeSent")
            .map(|entry| entry["message"]["params"]["request"]["url"].as_str().unwrap_or_default().to_owned())
            .filter(|url| !url.starts_with("data:"))
            .collect()
    }

    pub async fn shoot(&self, path: &Path) {
        self.driver.screenshot(path).await.unwrap();
    }
}
