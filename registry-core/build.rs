//! Data compiled into the library: rebuild when a file of it is added, removed or changed.

fn main() {
    println!("cargo:rerun-if-changed=../schema");
    println!("cargo:rerun-if-changed=../migrations");
}
