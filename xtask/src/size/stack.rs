//! Objects on the stack, from the LLVM IR of the compiler.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};

use super::elf::Symbol;
use super::symbol;

/// The size of the largest stack object of each function of ethdev, largest first.
pub(super) fn objects(directory: &Path, crates: &[&str]) -> Result<Vec<Symbol>> {
    let mut found = BTreeMap::new();
    for name in crates {
        let file = newest(directory, name)?;
        scan(&fs::read_to_string(&file)?, &mut found);
    }
    ensure!(!found.is_empty(), "no function of ethdev in {}", directory.display());
    let mut list: Vec<Symbol> = found.into_iter().map(|(name, size)| Symbol { name, size }).collect();
    list.sort_by_key(|symbol| Reverse(symbol.size));
    Ok(list)
}

/// The newest LLVM IR of a crate: older files are of other compilers.
fn newest(directory: &Path, name: &str) -> Result<PathBuf> {
    let mut found: BTreeMap<SystemTime, PathBuf> = BTreeMap::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let ours = stem == name || stem.rsplit_once('-').is_some_and(|(first, _)| first == name);
        if ours && path.extension().is_some_and(|extension| extension == "ll") {
            found.insert(entry.metadata()?.modified()?, path);
        }
    }
    found
        .into_values()
        .next_back()
        .with_context(|| format!("no LLVM IR of {name} in {}", directory.display()))
}

fn scan(code: &str, found: &mut BTreeMap<String, u64>) {
    let mut function: Option<String> = None;
    for line in code.lines() {
        if line.starts_with("define ") {
            function = defined(line).map(symbol::demangle).filter(|name| symbol::is_ours(name));
            if let Some(name) = &function {
                found.entry(name.clone()).or_default();
            }
        } else if line == "}" {
            function = None;
        } else if let (Some(name), Some(bytes)) = (&function, allocated(line)) {
            let largest = found.entry(name.clone()).or_default();
            *largest = bytes.max(*largest);
        }
    }
}

/// `define internal void @NAME(...)`; the name may be in quotes.
fn defined(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once('@')?;
    let (name, _) = rest.split_once('(')?;
    Some(name.trim_matches('"'))
}

/// `%x = alloca [40 x i8], align 8`: the form in which rustc declares locals.
fn allocated(line: &str) -> Option<u64> {
    let (_, rest) = line.split_once(" = alloca [")?;
    let (count, rest) = rest.split_once(" x i")?;
    let (bits, _) = rest.split_once(']')?;
    Some(count.parse::<u64>().ok()? * bits.parse::<u64>().ok()? / 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_functions_count() {
        let code = r#"
define internal void @_RNvNtCs1234_6ethdev5frame12vectored_len(ptr %a) unnamed_addr #1 {
  %small = alloca [8 x i8], align 4
  %larger = alloca [40 x i8], align 8
}
define void @_RNvNtCs1234_7smoltcp5iface4poll(ptr %a) {
  %buffer = alloca [1514 x i8], align 1
}
"#;
        let mut found = BTreeMap::new();
        scan(code, &mut found);
        assert_eq!(found, BTreeMap::from([("ethdev::frame::vectored_len".to_owned(), 40)]));
    }
}
