//! The interface as wit-parser reads it, in the order and the words that all three languages share.

use std::path::Path;
use wit_parser::{Docs, Function, FunctionKind, Handle, Resolve, Type, TypeDef, TypeDefKind, TypeId, TypeOwner};

/// The package `gudok:ivr`.
pub(crate) struct Interface {
    pub(crate) resolve: Resolve,
}

/// What a function answers, taken apart: `result` is an exception in JavaScript and Python.
pub(crate) struct Answers {
    pub(crate) value: Option<Type>,
    pub(crate) error: Option<Type>,
}

impl Interface {
    pub(crate) fn read(folder: &Path) -> Self {
        let mut resolve = Resolve::default();
        resolve.push_dir(folder).unwrap();
        Self { resolve }
    }

    /// By name: what scripts share first, then what they import, then what they export.
    pub(crate) fn interfaces(&self) -> Vec<(&str, &wit_parser::Interface)> {
        const FIRST: [&str; 5] = ["types", "host", "telephony", "prompts", "input"];
        const LAST: [&str; 2] = ["script", "campaign"];
        let rank = |name: &str| match (FIRST.iter().position(|first| *first == name), LAST.contains(&name)) {
            (Some(place), _) => place,
            (None, false) => FIRST.len(),
            (None, true) => FIRST.len() + 1,
        };
        let named = |(_, interface): (_, _)| {
            let interface: &wit_parser::Interface = interface;
            (interface.name.as_deref().unwrap_or_default(), interface)
        };
        let mut all: Vec<_> = self.resolve.interfaces.iter().map(named).collect();
        all.sort_by_key(|(name, _)| rank(name));
        all
    }

    pub(crate) fn is_export(name: &str) -> bool {
        matches!(name, "script" | "campaign")
    }

    pub(crate) fn def(&self, id: TypeId) -> &TypeDef {
        &self.resolve.types[id]
    }

    /// Types of an interface that are its own, not taken over from another.
    pub(crate) fn own_types<'a>(&'a self, interface: &'a wit_parser::Interface) -> Vec<(&'a str, TypeId)> {
        let is_own = |id: TypeId| !matches!(self.def(id).kind, TypeDefKind::Type(Type::Id(_)));
        interface.types.iter().filter(|(_, id)| is_own(**id)).map(|(name, id)| (name.as_str(), *id)).collect()
    }

    /// The type behind names that only stand for another: `use types.{date}`.
    pub(crate) fn behind(&self, id: TypeId) -> TypeId {
        match self.def(id).kind {
            TypeDefKind::Type(Type::Id(next)) => self.behind(next),
            TypeDefKind::Handle(Handle::Own(next) | Handle::Borrow(next)) => self.behind(next),
            _ => id,
        }
    }

    /// The interface that a type is of.
    pub(crate) fn owner(&self, id: TypeId) -> &str {
        match self.def(id).owner {
            TypeOwner::Interface(interface) => self.resolve.interfaces[interface].name.as_deref().unwrap_or_default(),
            TypeOwner::World(_) | TypeOwner::None => "",
        }
    }

    /// Functions that are of no resource.
    pub(crate) fn free_functions<'a>(&self, interface: &'a wit_parser::Interface) -> Vec<&'a Function> {
        interface.functions.values().filter(|function| resource_of(function).is_none()).collect()
    }

    /// Functions of a resource.
    pub(crate) fn methods<'a>(&self, interface: &'a wit_parser::Interface, resource: TypeId) -> Vec<&'a Function> {
        interface.functions.values().filter(|function| resource_of(function) == Some(resource)).collect()
    }

    pub(crate) fn answers(&self, function: &Function) -> Answers {
        match function.result {
            Some(Type::Id(id)) => match &self.def(id).kind {
                TypeDefKind::Result(result) => Answers { value: result.ok, error: result.err },
                _ => Answers { value: function.result, error: None },
            },
            value => Answers { value, error: None },
        }
    }

    /// As the reference page heads it: "call.set-language", "send".
    pub(crate) fn heading(&self, function: &Function) -> String {
        match resource_of(function) {
            Some(resource) => {
                format!("{}.{}", self.def(resource).name.as_deref().unwrap_or_default(), function.item_name())
            }
            None => function.item_name().to_owned(),
        }
    }

    /// Interfaces whose types another one names, but for itself.
    pub(crate) fn uses(&self, name: &str, interface: &wit_parser::Interface) -> Vec<String> {
        let mut found = Vec::new();
        for id in interface.types.values() {
            self.collect_owners(*id, name, &mut found);
        }
        for function in interface.functions.values() {
            for ty in function.params.iter().map(|param| param.ty).chain(function.result) {
                self.collect_in(ty, name, &mut found);
            }
        }
        found.sort();
        found.dedup();
        found
    }

    fn collect_in(&self, ty: Type, name: &str, found: &mut Vec<String>) {
        if let Type::Id(id) = ty {
            self.collect_owners(id, name, found);
        }
    }

    fn collect_owners(&self, id: TypeId, name: &str, found: &mut Vec<String>) {
        let owner = self.owner(id);
        if !owner.is_empty() && owner != name {
            found.push(owner.to_owned());
            return;
        }
        let inner: Vec<Type> = match &self.def(id).kind {
            TypeDefKind::Record(record) => record.fields.iter().map(|field| field.ty).collect(),
            TypeDefKind::Variant(variant) => variant.cases.iter().filter_map(|case| case.ty).collect(),
            TypeDefKind::Option(ty) | TypeDefKind::List(ty) => vec![*ty],
            TypeDefKind::Type(Type::Id(id)) => vec![Type::Id(*id)],
            TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => vec![Type::Id(*id)],
            TypeDefKind::Result(result) => result.ok.into_iter().chain(result.err).collect(),
            _ => Vec::new(),
        };
        for ty in inner {
            self.collect_in(ty, name, found);
        }
    }
}

pub(crate) fn resource_of(function: &Function) -> Option<TypeId> {
    match function.kind {
        FunctionKind::Method(id)
        | FunctionKind::AsyncMethod(id)
        | FunctionKind::Static(id)
        | FunctionKind::AsyncStatic(id)
        | FunctionKind::Constructor(id) => Some(id),
        FunctionKind::Freestanding | FunctionKind::AsyncFreestanding => None,
    }
}

pub(crate) const fn is_method(function: &Function) -> bool {
    matches!(function.kind, FunctionKind::Method(_) | FunctionKind::AsyncMethod(_))
}

/// A function's parameters without the resource that it is called on.
pub(crate) fn params(function: &Function) -> &[wit_parser::Param] {
    if is_method(function) { &function.params[1..] } else { &function.params }
}

/// The lines of a comment.
pub(crate) fn lines(docs: &Docs) -> Vec<&str> {
    docs.contents.as_deref().unwrap_or_default().lines().map(str::trim_end).collect()
}

/// A comment in one line, for a table.
pub(crate) fn in_one_line(docs: &Docs) -> String {
    lines(docs).join(" ").trim().replace('|', "\\|").replace('<', "\\<")
}

fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split('-')
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

pub(crate) fn pascal(name: &str) -> String {
    words(name).map(capital).collect()
}

pub(crate) fn camel(name: &str) -> String {
    let mut words = words(name);
    words.next().unwrap_or_default().to_owned() + &words.map(capital).collect::<String>()
}

pub(crate) fn snake(name: &str) -> String {
    name.replace('-', "_")
}
