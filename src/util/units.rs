//! Durations and sizes as people write them: `10s`, `1.5s`, `256MiB`, `64kB`.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// A duration written as `500ms`, `10s`, `1.5s`, `2m` or `1h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub Duration);

/// A number of bytes written as `256MiB`, `64KiB`, `1GiB`, `500kB` or `100B`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// Units of time in nanoseconds, largest last.
const TIME_UNITS: [(&str, u128); 4] =
    [("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000)];

/// Units of size in bytes, largest last.
const SIZE_UNITS: [(&str, u128); 9] = [
    ("B", 1),
    ("kB", 1_000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
    ("TB", 1_000_000_000_000),
    ("TiB", 1 << 40),
];

/// The most of a text that is none that is shown, in characters.
const SHOWN: usize = 40;

/// Smallest bare number that is rather meant in the small unit: seldom does anybody mean 1000 s or 1 GiB by it.
const LARGE: f64 = 1000.0;

/// A quantity with a unit.
trait Unit: Sized {
    const EXPECTED: &str;
    /// A bare number with the units that it most likely lacks.
    fn hint(number: &str, is_large: bool) -> String;
    const UNITS: &'static [(&'static str, u128)];
    fn parse(text: &str) -> Option<Self>;
}

impl Unit for Time {
    const EXPECTED: &str = "a duration such as \"10s\"";
    const UNITS: &'static [(&'static str, u128)] = &TIME_UNITS;

    fn hint(number: &str, is_large: bool) -> String {
        let millis = if is_large { format!(", or {number}ms") } else { String::new() };
        format!("{number}s{millis}")
    }

    fn parse(text: &str) -> Option<Self> {
        let nanos = scaled(text, &TIME_UNITS)?;
        Some(Self(Duration::from_nanos(nanos.try_into().ok()?)))
    }
}

impl Unit for Size {
    const EXPECTED: &str = "a size such as \"256MiB\"";
    const UNITS: &'static [(&'static str, u128)] = &SIZE_UNITS;

    fn hint(number: &str, is_large: bool) -> String {
        if is_large { format!("{number}B") } else { format!("{number}MiB, or {number}B for bytes") }
    }

    fn parse(text: &str) -> Option<Self> {
        scaled(text, &SIZE_UNITS)?.try_into().ok().map(Self)
    }
}

/// `1.5s` as nanoseconds, `1.5KiB` as bytes: exact, or nothing.
fn scaled(text: &str, units: &[(&str, u128)]) -> Option<u128> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(split);
    let (_, scale) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let denominator = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let numerator = fraction.parse::<u128>().ok()?.checked_mul(*scale)?;
    let part = (numerator % denominator == 0).then(|| numerator / denominator)?;
    whole.parse::<u128>().ok()?.checked_mul(*scale)?.checked_add(part)
}

/// `amount` in the unit that needs the smallest whole number.
fn shortest(f: &mut fmt::Formatter<'_>, amount: u128, units: &[(&str, u128)]) -> fmt::Result {
    let fits = |(_, scale): &&(&str, u128)| amount > 0 && amount.is_multiple_of(*scale);
    let (unit, scale) = units.iter().rfind(fits).unwrap_or(&units[0]);
    write!(f, "{}{unit}", amount / scale)
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        match nanos % TIME_UNITS[0].1 {
            0 => shortest(f, nanos, &TIME_UNITS),
            _ => {
                let millis = format!("{}.{:06}", nanos / 1_000_000, nanos % 1_000_000);
                write!(f, "{}ms", millis.trim_end_matches('0'))
            }
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        shortest(f, self.0.into(), &SIZE_UNITS)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UnitVisitor(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UnitVisitor(PhantomData))
    }
}

struct UnitVisitor<T>(PhantomData<T>);

impl<T: Unit> Visitor<'_> for UnitVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::parse(text).ok_or_else(|| E::custom(refusal::<T>(text)))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        Err(E::custom(no_unit::<T>(number, number as f64)))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        match number.is_finite() {
            true => Err(E::custom(no_unit::<T>(number, number))),
            false => Err(E::invalid_type(Unexpected::Float(number), &self)),
        }
    }
}

/// Words for a text that is none, with the units where it has another one.
fn refusal<T: Unit>(text: &str) -> String {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = (&text[..split], text[split..].trim());
    let units: Vec<&str> = T::UNITS.iter().map(|(name, _)| *name).collect();
    let is_whole = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let why = match () {
        () if is_whole && units.contains(&unit) => "; that is too large".to_owned(),
        () if is_whole && !unit.is_empty() => {
            format!("; the units are {}, in just these letters", units.join(", "))
        }
        () => String::new(),
    };
    let shown: String = text.chars().take(SHOWN).collect();
    let cut = if shown.len() < text.len() { "..." } else { "" };
    format!("expected {}, found {shown:?}{cut}{why}", T::EXPECTED)
}

fn no_unit<T: Unit>(number: impl fmt::Display, value: f64) -> String {
    let (expected, hint) = (T::EXPECTED, T::hint(&number.to_string(), value >= LARGE));
    format!("expected {expected}, found {number} without a unit; write {hint}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn time(text: &str) -> Option<Duration> {
        Time::parse(text).map(|time| time.0)
    }

    fn size(text: &str) -> Option<u64> {
        Size::parse(text).map(|size| size.0)
    }

    #[test]
    fn durations() {
        assert_eq!(time("10s"), Some(Duration::from_secs(10)));
        assert_eq!(time("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(time("2m"), Some(Duration::from_secs(120)));
        assert_eq!(time("1.5s"), Some(Duration::from_millis(1500)));
        assert_eq!(time("1 h"), Some(Duration::from_secs(3600)));
        for bad in ["", "10", "s", "-1s", "+1s", "1.s", ".5s", "1..5s", "1e3s", "ten", "10S"] {
            assert_eq!(time(bad), None, "{bad}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(size("256MiB"), Some(256 << 20));
        assert_eq!(size("64KiB"), Some(64 << 10));
        assert_eq!(size("1GiB"), Some(1 << 30));
        assert_eq!(size("1.5KiB"), Some(1536));
        assert_eq!(size("5kB"), Some(5000));
        assert_eq!(size("5MB"), Some(5_000_000));
        for bad in ["", "256", "256M", "256mib", "0.1B", "99999999TiB", "1 2MiB"] {
            assert_eq!(size(bad), None, "{bad}");
        }
    }

    #[test]
    fn enormous_numbers_are_refused() {
        let long = "9".repeat(1000);
        assert_eq!(size(&format!("{long}B")), None);
        assert_eq!(size(&format!("0.{long}TiB")), None);
        assert_eq!(time(&format!("{}h", u64::MAX)), None);
    }

    #[test]
    fn another_unit_is_told_which_there_are() {
        assert_eq!(
            refusal::<Time>("366d"),
            "expected a duration such as \"10s\", found \"366d\"; the units are ms, s, m, h, in just these letters"
        );
        assert!(
            refusal::<Size>("64mb").ends_with("B, kB, KiB, MB, MiB, GB, GiB, TB, TiB, in just these letters")
        );
        let large = "18446744073709551615MiB";
        assert_eq!(
            refusal::<Size>(large),
            format!("expected a size such as \"256MiB\", found \"{large}\"; that is too large")
        );
        assert_eq!(refusal::<Time>("ten"), "expected a duration such as \"10s\", found \"ten\"");
    }

    /// 64000 MiB in a field called `max_bytes` is 64 GB.
    #[test]
    fn a_bare_number_is_told_the_units_that_it_may_lack() {
        let told = |message: String| message.split_once("; write ").unwrap().1.to_owned();
        assert_eq!(told(no_unit::<Size>(64000, 64000.0)), "64000B");
        assert_eq!(told(no_unit::<Size>(256, 256.0)), "256MiB, or 256B for bytes");
        assert_eq!(told(no_unit::<Time>(10, 10.0)), "10s");
        assert_eq!(told(no_unit::<Time>(5000, 5000.0)), "5000s, or 5000ms");
    }

    #[test]
    fn display_is_short() {
        assert_eq!(Time(Duration::from_secs(90)).to_string(), "90s");
        assert_eq!(Time(Duration::from_secs(5400)).to_string(), "90m");
        assert_eq!(Time(Duration::ZERO).to_string(), "0ms");
        assert_eq!(Time(Duration::from_micros(1500)).to_string(), "1.5ms");
        assert_eq!(Size(0).to_string(), "0B");
        assert_eq!(Size(65536).to_string(), "64KiB");
        assert_eq!(Size(64000).to_string(), "64kB");
    }

    proptest! {
        #[test]
        fn display_round_trips(amount in any::<u64>(), shift in 0_u32..64) {
            let amount = amount >> shift;
            prop_assert_eq!(size(&Size(amount).to_string()), Some(amount));
            let duration = Duration::from_nanos(amount);
            prop_assert_eq!(time(&Time(duration).to_string()), Some(duration));
        }

        #[test]
        fn nothing_panics(text in ".*") {
            let _ = (time(&text), size(&text));
        }
    }
}
