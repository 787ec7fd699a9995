//! Prints flash and RAM of ethdev and the smoltcp adapter on thumbv7m.

pub(crate) mod adapters;
pub(crate) mod cyw43;
pub(crate) mod elf;
pub(crate) mod enc28j60;
mod stack;
mod symbol;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use ethdev_cli as cli;
use object::{Object, ObjectSection, ObjectSymbol};

use crate::cross::{Preference, ToolChain};
use crate::figures::{self, Figure};
use crate::image::Build;
use elf::{Image, Symbol};

/// Prints flash and RAM of ethdev and the smoltcp adapter on thumbv7m.
///
/// Compares two images of the firmware workspace: smoltcp on the adapter, and on a minimal
/// `phy::Device` for the same driver. Stacks are measured on `mps2_bare`, which uses more of the
/// API.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Compare the driver of this chip with another one instead.
    chip: Option<Chip>,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// The tool chain to use.
    #[arg(long, value_enum, default_value = "any")]
    with: Preference,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Chip {
    Enc28j60,
}

/// Symbol names with types, and stack frame sizes. Neither changes the code.
const NAMED: &str = "-Csymbol-mangling-version=v0 -Zemit-stack-sizes";
/// In addition, LLVM IR without inlining, so that the stack use of each function is visible.
const APART: &str = "-Csymbol-mangling-version=v0 --emit=llvm-ir -Zinline-mir=no -Cllvm-args=-inline-threshold=-100000 \
                     -Cllvm-args=-inlinehint-threshold=-100000 -Cllvm-args=-inlinecold-threshold=-100000";
/// Some of the flags are unstable.
const UNSTABLE: (&str, &str) = ("RUSTC_BOOTSTRAP", "1");

const STACK_GOAL: u64 = 64;
/// The number of the largest items that are listed.
const SHOWN: usize = 5;

/// The target of the images.
const TARGET: &str = "thumbv7m-none-eabi";

pub(crate) fn run(args: &Args) -> Result<()> {
    if let Some(Chip::Enc28j60) = args.chip {
        let (list, tools) = enc28j60::figures(args.with)?;
        figures::print(&list, args.json)?;
        if !args.json {
            cli::print(format_args!("{TARGET} with {tools}, LTO"))?;
        }
        return Ok(());
    }
    let tools = ToolChain::find(TARGET, args.with)?;
    let named = |program| {
        let build = Build {
            program,
            rustflags: NAMED,
            env: &[UNSTABLE],
            directory: "size",
        };
        build.run(&tools)
    };
    let path = named("size_ethdev")?;
    let (ours, plain) = (Image::read(&path)?, Image::read(&named("size_plain")?)?);
    let sizes = words(&std::fs::read(&path)?, "size_ethdev::SIZES")?;
    let serve = Image::read(&named("mps2_bare")?)?;
    let apart = Build {
        program: "mps2_bare",
        rustflags: APART,
        env: &[UNSTABLE, ("CARGO_PROFILE_RELEASE_LTO", "off")],
        directory: "size-apart",
    };
    apart.run(&tools)?;
    let objects = stack::objects(
        &apart.deps_dir(&tools),
        &["ethdev", "ethdev_smoltcp", "ethdev_util", "mps2_bare"],
    )?;

    let mut list = flash(&ours, &plain);
    list.extend(ram(&ours, &plain, sizes));
    list.extend(stack(&serve, &objects)?);
    figures::print(&list, args.json)?;
    if !args.json {
        cli::print(format_args!("{} with {}, opt-level s, LTO", TARGET, tools.name()))?;
        let mut functions: Vec<Symbol> = ours.our_functions().cloned().collect();
        functions.sort_by_key(|symbol| Reverse(symbol.size));
        show("largest functions", &functions)?;
        show("largest objects on the stack", &objects)?;
    }
    Ok(())
}

fn show(what: &str, symbols: &[Symbol]) -> Result<()> {
    cli::print(format_args!("{what}, of {}:", symbols.len()))?;
    for Symbol { name, size } in symbols.iter().take(SHOWN) {
        cli::print(format_args!("{size:5} bytes in {}", symbol::short(name)))?;
    }
    Ok(())
}

fn flash(ours: &Image, plain: &Image) -> Vec<Figure> {
    let apart: u64 = ours.our_functions().map(|symbol| symbol.size).sum();
    vec![
        Figure {
            peers: peer("minimal phy::Device", plain.flash),
            ..figure("flash, echo firmware", ours.flash)
        },
        figure(
            "flash of ethdev and ethdev-smoltcp (difference)",
            ours.flash.saturating_sub(plain.flash),
        ),
        figure("flash of their functions that were not inlined", apart),
    ]
}

fn ram(ours: &Image, plain: &Image, [buffered, adapter, irq_signal]: [u64; 3]) -> Vec<Figure> {
    let variables: u64 = ours.our_variables().map(|symbol| symbol.size).sum();
    vec![
        Figure {
            peers: peer("minimal phy::Device", plain.ram),
            ..figure("static RAM, echo firmware", ours.ram)
        },
        Figure {
            goal: "0".to_owned(),
            ok: Some(ours.ram <= plain.ram && variables == 0),
            ..figure(
                "static RAM of ethdev and ethdev-smoltcp",
                variables.max(ours.ram.saturating_sub(plain.ram)),
            )
        },
        figure("RAM of Buffered without driver and buffers", buffered),
        figure("RAM of SmoltcpDevice without device and buffers", adapter),
        figure("RAM of IrqSignal", irq_signal),
    ]
}

fn stack(serve: &Image, objects: &[Symbol]) -> Result<Vec<Figure>> {
    let largest = objects.first().map_or(0, |symbol| symbol.size);
    let frames = serve.our_frames()?;
    let frame = frames.iter().max_by_key(|symbol| symbol.size);
    let Symbol { name, size } = frame.context("no function of ethdev in the image")?;
    Ok(vec![
        Figure {
            goal: format!("at most {STACK_GOAL}"),
            ok: Some(largest <= STACK_GOAL),
            ..figure("largest buffer on the stack", largest)
        },
        figure(
            &format!("largest stack frame, with registers: {}", symbol::short(name)),
            *size,
        ),
    ])
}

fn figure(name: &str, bytes: u64) -> Figure {
    Figure {
        figure: name.to_owned(),
        unit: "bytes".to_owned(),
        ours: bytes as f64,
        peers: BTreeMap::new(),
        goal: String::new(),
        ok: None,
    }
}

fn peer(name: &str, bytes: u64) -> BTreeMap<String, f64> {
    BTreeMap::from([(name.to_owned(), bytes as f64)])
}

/// Reads the words of a variable in an image.
fn words<const N: usize>(image: &[u8], variable: &str) -> Result<[u64; N]> {
    let file = object::File::parse(image)?;
    let symbol = file
        .symbols()
        .find(|symbol| symbol.name().is_ok_and(|name| symbol::demangle(name) == variable))
        .with_context(|| format!("no {variable} in the image"))?;
    let section = file.section_by_index(
        symbol
            .section_index()
            .with_context(|| format!("{variable} has no section"))?,
    )?;
    let bytes = section
        .data_range(symbol.address(), symbol.size())?
        .with_context(|| format!("{variable} is outside its section"))?;
    ensure!(bytes.len() == 4 * N, "{variable} has {} bytes", bytes.len());
    let word = |i: usize| u64::from(u32::from_le_bytes([bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3]]));
    Ok(std::array::from_fn(|n| word(4 * n)))
}
