//! The same work on sansocket and on other libraries, side by side. README.md says how to run it and how to read it.

mod codec;
mod deflate;
mod echo;
mod floor;
mod options;
mod peers;
mod pipe;
mod results;
mod rounds;
mod svg;
mod table;
mod work;

use options::Options;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [command, name, program @ ..] = &arguments[..]
        && command == "serve"
    {
        echo::be_server(name, program.first().map(String::as_str));
    }
    let options = Options::parse(arguments);
    options::settle_allocator();
    echo::pin_to(1);
    let mut results = results::Results::default();
    let physical = codec::physical(&options).into_iter();
    for table in
        physical.chain(codec::tables(&options)).chain(deflate::tables(&options)).chain(echo::tables(&options))
    {
        results.add(table);
        // After each table, because all of them take long.
        if let Some(directory) = &options.output {
            results.write(directory, &options);
        }
    }
}
