//! Messages from and to JSON.

use std::collections::BTreeMap;

use sansocket::{Message, MessageKind, Prepared};
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Chat<'a> {
    Join { room: &'a str },
    Say { room: String, text: String },
}

#[test]
fn a_value_survives_there_and_back() {
    let joined = Chat::Join { room: "rust" };
    let message = Message::from_json(&joined).unwrap();
    assert_eq!(message, Message::from(r#"{"type":"join","room":"rust"}"#));
    assert_eq!(message.json::<Chat<'_>>().unwrap(), joined);

    let said = Chat::Say { room: "rust".into(), text: "\u{fc}ber \"alles\"\n".into() };
    let message = Message::from_json(&said).unwrap();
    assert_eq!(message.json::<Chat<'_>>().unwrap(), said);
    assert_eq!(Prepared::new(message).kind(), MessageKind::Text);
}

#[test]
fn strings_are_borrowed_from_the_message() {
    let message = Message::from(r#"["rust"]"#);
    let [room]: [&str; 1] = message.json().unwrap();
    assert!(message.as_bytes().as_ptr_range().contains(&room.as_ptr()));
}

#[test]
fn binary_messages_are_read_too() {
    let message = Message::from(&br#"{"type":"join","room":"rust"}"#[..]);
    assert_eq!(message.json::<Chat<'_>>().unwrap(), Chat::Join { room: "rust" });
    let not_utf8 = Message::from(b"\"\xff\"");
    assert!(not_utf8.json::<String>().is_err());
}

#[test]
fn what_does_not_fit_is_an_error_that_says_where() {
    let error = Message::from("[1,\n 2, x]").json::<Vec<u32>>().unwrap_err();
    assert_eq!((error.line(), error.column()), (2, 5));
    assert!(Message::from("").json::<u32>().unwrap_err().is_eof());
    assert!(Message::from(r#"{"type":"leave"}"#).json::<Chat<'_>>().unwrap_err().is_data());
    // Nothing may follow the value.
    assert!(Message::from("1 2").json::<u32>().is_err());
    assert!(Message::from_json(&BTreeMap::from([((1, 2), 3)])).is_err());
}
