//! The page: link, uptime, counters.

use core::fmt::{self, Write};

use super::Content;

/// The part before the title. The browser reloads the page every five seconds.
const BEGIN: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta http-equiv=\"refresh\" content=\"5\">
<style>
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100%; margin-bottom: 1.5rem }
th { font-weight: normal; text-align: left }
td { text-align: right; font-variant-numeric: tabular-nums }
th, td { padding: .2rem 0; border-bottom: 1px solid #8884 }
.zero { opacity: .5 }
</style>
";

pub(super) fn write(content: &Content<'_>, out: &mut impl Write) -> fmt::Result {
    let name = Escaped(content.name);
    let status = &content.status;
    out.write_str(BEGIN)?;
    write!(out, "<title>{name}</title>\n<h1>{name}</h1>\n<table>\n")?;
    row(out, "Link", "", format_args!("{}", status.link))?;
    row(out, "Address", "", format_args!("{}", status.mac_address))?;
    row(out, "Uptime", "", format_args!("{}", Uptime(status.uptime.as_secs())))?;
    out.write_str("</table>\n<h2>Counters</h2>\n<table>\n")?;
    for (counter, value) in status.stats.iter() {
        let class = if value == 0 { " class=\"zero\"" } else { "" };
        row(out, counter, class, format_args!("{value}"))?;
    }
    out.write_str("</table>\n</html>\n")
}

fn row(out: &mut impl Write, name: &str, class: &str, value: fmt::Arguments<'_>) -> fmt::Result {
    writeln!(out, "<tr{class}><th>{name}</th><td>{value}</td></tr>")
}

/// Seconds as days, hours, minutes and seconds.
struct Uptime(u64);

impl fmt::Display for Uptime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds) = (self.0 / 86_400, self.0 % 86_400);
        if days > 0 {
            write!(f, "{days} d ")?;
        }
        write!(f, "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }
}

/// Text with HTML special characters escaped.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}
