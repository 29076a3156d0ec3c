//! Every `--help` ends with examples of the whole command, and every example is one that the program takes.

use clap::{CommandFactory, Parser};

use super::Cli;

/// Every command and group below `command`, by its whole name, with what its help ends with.
fn all(command: &clap::Command, name: &str, found: &mut Vec<(String, String)>) {
    for below in command.get_subcommands().filter(|one| one.get_name() != "help") {
        let name = format!("{name} {}", below.get_name());
        let after = below.get_after_help().map(ToString::to_string);
        all(below, &name, found);
        found.push((name, after.unwrap_or_default()));
    }
}

/// A line as a shell takes it apart, up to where its output goes; variables set for the command alone come first.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
    for letter in line.chars() {
        match letter {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            '|' | '>' if !quoted => break,
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    words
}

#[test]
fn every_example_of_every_help_is_taken() {
    let mut commands = Vec::new();
    all(&Cli::command(), "registry", &mut commands);
    assert!(commands.len() > 40, "{commands:?}");
    for (name, after) in commands {
        let examples = after.strip_prefix("Example:\n");
        let examples = examples.unwrap_or_else(|| panic!("{name}: no example at the end: {after}"));
        let mut shown = false;
        for line in examples.lines() {
            let line = line
                .strip_prefix("  ")
                .unwrap_or_else(|| panic!("{name}: {line}"));
            let mut words = words(line);
            let variables = words
                .iter()
                .take_while(|word| word.starts_with("REGISTRY_"))
                .count();
            let given: Vec<String> = words.drain(..variables).collect();
            if words.first().is_none_or(|first| first != "registry") {
                // What is prepared with another program.
                continue;
            }
            shown |= words.join(" ").starts_with(&name);
            if given.iter().any(|one| one.starts_with("REGISTRY_KEY=")) {
                words.extend(["--key".to_owned(), "of the environment".to_owned()]);
            }
            if let Err(error) = Cli::try_parse_from(&words) {
                panic!("{name}: {line}\n{error}");
            }
        }
        assert!(shown, "{name}: no example of the whole command: {examples}");
    }
}
