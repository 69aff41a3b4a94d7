//! Messages from and to JSON, of types with serde's traits. The peers agree by subprotocol that they speak it; the messages are text.

use alloc::string::String;

use serde_core::{Deserialize, Serialize};
pub use serde_json::Error;

use crate::message::Message;

impl Message {
    /// A text message with `value` as JSON.
    ///
    /// ```
    /// use sansocket::Message;
    ///
    /// let message = Message::from_json(&("join", 17))?;
    /// assert_eq!(message, Message::from(r#"["join",17]"#));
    /// # Ok::<(), sansocket::json::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What the value's `Serialize` refuses, such as a map whose keys are no strings.
    pub fn from_json(value: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        let text: String = serde_json::to_string(value)?;
        Ok(Self::Text(text))
    }

    /// The value that this message is the JSON of. It may borrow strings from the message.
    ///
    /// Binary messages are taken too, as some peers send JSON in those.
    ///
    /// ```
    /// use sansocket::Message;
    ///
    /// let message = Message::from(r#"["join",17]"#);
    /// let (what, room): (&str, u32) = message.json()?;
    /// assert_eq!((what, room), ("join", 17));
    /// # Ok::<(), sansocket::json::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The message is no JSON, or not of this type. The error has line and column, and may quote a value of the message.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Error> {
        match self {
            Self::Text(text) => serde_json::from_str(text),
            Self::Binary(bytes) => serde_json::from_slice(bytes),
        }
    }
}
