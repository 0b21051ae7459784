//! The reference page: every function and every type, in the words of all three languages.

use crate::wit::{Interface, in_one_line, is_method, lines, params, pascal, resource_of, snake};
use crate::{javascript, python};
use wit_parser::{Docs, Function, Type, TypeDefKind, TypeId};

pub(crate) fn page(wit: &Interface) -> String {
    let mut text = String::from(
        "# The interface\n\n\
         Written from `wit/v0.1.0` by `engine/workbench/tests/interface`; do not edit. Every function and every type that a script sees,\n\
         as each language spells it. The SDKs have more comfort than this ([AUTHORING.md](AUTHORING.md)); what is here is under it,\n\
         and is always reachable: `gudok_sdk::bindings` in Rust, `gudok:ivr/NAME@0.1.0` in JavaScript and TypeScript,\n\
         `wit_world.imports.NAME` in Python.\n\n\
         | | Rust | JavaScript | Python |\n| --- | --- | --- | --- |\n\
         | an error | `Err(CallError)` | thrown | raised as `Err(…)` |\n\
         | none | `None` | `null` | `None` |\n\
         | a variant | `Segment::Text(\"…\")` | `{ tag: \"text\", val: \"…\" }` | `Segment_Text(\"…\")` |\n\
         | flags | `BargeIn::DTMF` | `{ dtmf: true, speech: false }` | `BargeIn.DTMF` |\n\
         | bytes | `Vec<u8>` | `Uint8Array` | `bytes` |\n\
         | a handle is given back | when dropped | `[Symbol.dispose]()`, or by the collector | `with`, or by the collector |\n\n\
         ## Contents\n\n",
    );
    for (name, interface) in wit.interfaces() {
        let first = in_one_line(&interface.docs);
        let first = first.split_inclusive(". ").next().unwrap_or_default().trim();
        text += &format!("- [`{name}`](#{name}): {first}\n");
    }
    for (name, interface) in wit.interfaces() {
        text += &format!("\n## {name}\n\n{}", paragraph(&interface.docs));
        for (type_name, id) in wit.own_types(interface) {
            text += &described(wit, name, type_name, id);
            for function in wit.methods(interface, id) {
                text += &called(wit, name, function);
            }
        }
        for function in wit.free_functions(interface) {
            text += &called(wit, name, function);
        }
    }
    text
}

fn described(wit: &Interface, home: &str, name: &str, id: TypeId) -> String {
    let def = wit.def(id);
    let mut text = format!("\n### {name}\n\n{}", paragraph(&def.docs));
    let row = |name: &str, ty: Option<Type>, docs: &Docs| {
        let rust = ty.map(|ty| format!("`{}`", rust(wit, home, ty))).unwrap_or_default();
        let javascript = ty.map(|ty| format!("`{}`", javascript::spelled(wit, home, ty))).unwrap_or_default();
        let python = ty.map(|ty| format!("`{}`", python::spelled(wit, home, ty))).unwrap_or_default();
        format!("| `{name}` | {rust} | {} | {python} | {} |\n", javascript.replace('|', "\\|"), in_one_line(docs))
    };
    let table = "| | Rust | JavaScript | Python | |\n| --- | --- | --- | --- | --- |\n";
    match &def.kind {
        TypeDefKind::Record(record) => {
            text += table;
            text.extend(record.fields.iter().map(|field| row(&field.name, Some(field.ty), &field.docs)));
        }
        TypeDefKind::Variant(variant) => {
            text += table;
            text.extend(variant.cases.iter().map(|case| row(&case.name, case.ty, &case.docs)));
        }
        TypeDefKind::Enum(all) => {
            text += "| one of | |\n| --- | --- |\n";
            text.extend(all.cases.iter().map(|case| format!("| `{}` | {} |\n", case.name, in_one_line(&case.docs))));
        }
        TypeDefKind::Flags(flags) => {
            let names: Vec<String> = flags.flags.iter().map(|flag| format!("`{}`", flag.name)).collect();
            text += &format!("Any of {}.\n", names.join(", "));
        }
        TypeDefKind::Type(ty) => {
            text += &format!(
                "`{}` in Rust, `{}` in JavaScript, `{}` in Python.\n",
                rust(wit, home, *ty),
                javascript::spelled(wit, home, *ty),
                python::spelled(wit, home, *ty)
            );
        }
        TypeDefKind::Resource => text += "A handle.\n",
        other => panic!("{name}: {} is not described", other.as_str()),
    }
    text
}

fn called(wit: &Interface, home: &str, function: &Function) -> String {
    format!(
        "\n#### {}\n\n{}```rust\n{}\n```\n```ts\n{}\n```\n```python\n{}\n```\n",
        wit.heading(function),
        if python::is_silent(&function.docs) { String::new() } else { paragraph(&function.docs) },
        rust_signature(wit, home, function),
        javascript::reference(wit, home, function),
        python::reference(wit, home, function),
    )
}

/// As wit-bindgen makes it for a script.
fn rust_signature(wit: &Interface, home: &str, function: &Function) -> String {
    let owner = resource_of(function).map(|id| {
        let name = wit.def(id).name.as_deref().unwrap_or_default();
        if is_method(function) { format!("{}.", snake(name)) } else { format!("{}::", pascal(name)) }
    });
    let param = |param: &wit_parser::Param| format!("{}: {}", snake(&param.name), rust_argument(wit, home, param.ty));
    let all: Vec<String> = params(function).iter().map(param).collect();
    let answer = function.result.map(|ty| format!(" -> {}", rust(wit, home, ty))).unwrap_or_default();
    format!("{}{}({}){answer}", owner.unwrap_or_default(), snake(function.item_name()), all.join(", "))
}

/// Arguments are borrowed where there is something to copy.
fn rust_argument(wit: &Interface, home: &str, ty: Type) -> String {
    let Type::Id(id) = ty else { return if ty == Type::String { "&str".into() } else { rust(wit, home, ty) } };
    let id = wit.behind(id);
    match &wit.def(id).kind {
        TypeDefKind::Option(inner) => format!("Option<{}>", rust_argument(wit, home, *inner)),
        TypeDefKind::List(inner) => format!("&[{}]", rust(wit, home, *inner)),
        TypeDefKind::Type(plain) => rust_argument(wit, home, *plain),
        TypeDefKind::Enum(_) | TypeDefKind::Flags(_) => rust(wit, home, ty),
        TypeDefKind::Record(record) if record.fields.iter().all(|field| is_plain(wit, field.ty)) => rust(wit, home, ty),
        _ => format!("&{}", rust(wit, home, ty)),
    }
}

/// Whether a value is copied rather than moved.
fn is_plain(wit: &Interface, ty: Type) -> bool {
    let Type::Id(id) = ty else { return ty != Type::String };
    match &wit.def(wit.behind(id)).kind {
        TypeDefKind::Type(plain) => is_plain(wit, *plain),
        TypeDefKind::Enum(_) | TypeDefKind::Flags(_) => true,
        TypeDefKind::Record(record) => record.fields.iter().all(|field| is_plain(wit, field.ty)),
        _ => false,
    }
}

fn rust(wit: &Interface, home: &str, ty: Type) -> String {
    match ty {
        Type::Bool => "bool".into(),
        Type::U8 => "u8".into(),
        Type::U16 => "u16".into(),
        Type::U32 => "u32".into(),
        Type::U64 => "u64".into(),
        Type::S16 => "i16".into(),
        Type::S32 => "i32".into(),
        Type::S64 => "i64".into(),
        Type::Char => "char".into(),
        Type::String => "String".into(),
        Type::Id(id) => {
            let id = wit.behind(id);
            match &wit.def(id).kind {
                TypeDefKind::Option(inner) => format!("Option<{}>", rust(wit, home, *inner)),
                TypeDefKind::List(inner) => format!("Vec<{}>", rust(wit, home, *inner)),
                TypeDefKind::Result(result) => {
                    let part = |ty: Option<Type>| ty.map_or_else(|| "()".to_owned(), |ty| rust(wit, home, ty));
                    format!("Result<{}, {}>", part(result.ok), part(result.err))
                }
                TypeDefKind::Type(plain) => rust(wit, home, *plain),
                _ => {
                    let name = pascal(wit.def(id).name.as_deref().unwrap_or_default());
                    match wit.owner(id) {
                        owner if owner == home => name,
                        owner => format!("{}::{name}", snake(owner)),
                    }
                }
            }
        }
        other => panic!("{other:?} has no spelling in Rust here"),
    }
}

fn paragraph(docs: &Docs) -> String {
    match lines(docs).join("\n").replace('<', "\\<") {
        text if text.is_empty() => text,
        text => text + "\n\n",
    }
}
