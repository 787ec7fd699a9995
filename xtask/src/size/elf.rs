//! Sizes and symbols of an image.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use object::{Object, ObjectSection, ObjectSymbol, SectionFlags, SectionKind, SymbolKind, elf};

use super::symbol;

/// The measurements of an image.
#[derive(Debug)]
pub(crate) struct Image {
    /// Programmed bytes: code, constants, and the initial values of variables.
    pub(crate) flash: u64,
    /// Bytes of variables, with and without initial values, without stacks.
    pub(crate) ram: u64,
    /// Functions by address.
    functions: BTreeMap<u64, Symbol>,
    /// Variables.
    variables: Vec<Symbol>,
    /// Stack frames in bytes, by address of the function.
    frames: Vec<(u64, u64)>,
}

/// A function or a variable.
#[derive(Debug, Clone)]
pub(super) struct Symbol {
    /// Demangled.
    pub(super) name: String,
    pub(super) size: u64,
}

/// Bit 0 of the address of a function is the instruction set.
const THUMB: u64 = 1;

impl Image {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let data = std::fs::read(path)?;
        let file = object::File::parse(&*data).with_context(|| format!("{} is not a valid image", path.display()))?;
        let (mut flash, mut ram) = (0, 0);
        for section in file.sections() {
            let SectionFlags::Elf { sh_flags, .. } = section.flags() else {
                continue;
            };
            let allocated = sh_flags.contains(elf::SHF_ALLOC);
            let writable = sh_flags.contains(elf::SHF_WRITE);
            if allocated && section.kind() != SectionKind::UninitializedData {
                flash += section.size();
            }
            // Some linker scripts have a section for stacks.
            let stacks = section.name().is_ok_and(|name| name == ".stacks");
            if allocated && writable && !stacks {
                ram += section.size();
            }
        }
        let (mut functions, mut variables) = (BTreeMap::new(), Vec::new());
        for symbol in file.symbols().filter(|symbol| symbol.size() > 0) {
            let found = Symbol {
                name: symbol::demangle(symbol.name()?),
                size: symbol.size(),
            };
            match symbol.kind() {
                SymbolKind::Text => {
                    functions.insert(symbol.address() & !THUMB, found);
                }
                SymbolKind::Data => {
                    let section = symbol
                        .section_index()
                        .and_then(|index| file.section_by_index(index).ok());
                    let constant = section.is_some_and(|section| section.kind() == SectionKind::ReadOnlyData);
                    if !constant {
                        variables.push(found);
                    }
                }
                _ => {}
            }
        }
        let frames = match file.section_by_name(".stack_sizes") {
            Some(section) => stack_sizes(section.data()?)?,
            None => Vec::new(),
        };
        Ok(Self {
            flash,
            ram,
            functions,
            variables,
            frames,
        })
    }

    /// The functions of ethdev that were not inlined.
    pub(super) fn our_functions(&self) -> impl Iterator<Item = &Symbol> {
        self.functions.values().filter(|symbol| symbol::is_ours(&symbol.name))
    }

    /// The variables of ethdev.
    pub(super) fn our_variables(&self) -> impl Iterator<Item = &Symbol> {
        self.variables.iter().filter(|symbol| symbol::is_ours(&symbol.name))
    }

    /// The functions of ethdev with their stack frames, saved registers included.
    pub(super) fn our_frames(&self) -> Result<Vec<Symbol>> {
        ensure!(!self.frames.is_empty(), "the image has no stack sizes");
        Ok(self
            .frames
            .iter()
            .filter_map(|&(address, size)| {
                let name = &self.functions.get(&(address & !THUMB))?.name;
                symbol::is_ours(name).then(|| Symbol {
                    name: name.clone(),
                    size,
                })
            })
            .collect())
    }
}

/// Parses the section of LLVM: for each function its address in 4 bytes, little-endian, and the
/// size of its frame as ULEB128.
fn stack_sizes(mut data: &[u8]) -> Result<Vec<(u64, u64)>> {
    let mut sizes = Vec::new();
    while let Some((address, rest)) = data.split_first_chunk::<4>() {
        let (mut size, mut shift) = (0_u64, 0);
        data = rest;
        loop {
            let (&byte, rest) = data.split_first().context("truncated stack size")?;
            ensure!(shift < 64, "stack size too long");
            size |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            data = rest;
            if byte & 0x80 == 0 {
                break;
            }
        }
        sizes.push((u64::from(u32::from_le_bytes(*address)), size));
    }
    ensure!(data.is_empty(), "truncated stack size");
    Ok(sizes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stack_sizes_are_read_to_the_end() {
        let data = [0x00, 0x04, 0, 0, 0x20, 0x11, 0x04, 0, 0, 0xe8, 0x41];
        assert_eq!(stack_sizes(&data).unwrap(), [(0x400, 0x20), (0x411, 8424)]);
        assert!(stack_sizes(&data[..10]).is_err());
        assert!(stack_sizes(&data[..7]).is_err());
    }
}
