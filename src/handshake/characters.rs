//! Which characters may be where: one look into a table for each byte.

/// A set of characters.
#[derive(Clone, Copy)]
pub(crate) struct Characters(u8);

impl Characters {
    /// Those of a token (`tchar`, RFC 9110 section 5.6.2).
    pub(crate) const TOKEN: Self = Self(1);
    /// Letters, digits, `-` and `.`: what nearly all names of hosts are made of, and all IPv4 addresses.
    pub(crate) const NAME: Self = Self(2);
    /// What may be in path and query, but for `%`, which needs two digits behind it. See
    /// [`check_resource`](crate::url::check_resource).
    pub(crate) const RESOURCE: Self = Self(4);
    /// Base64 without padding (RFC 4648 section 4).
    pub(crate) const BASE64: Self = Self(8);

    /// Whether `byte` is one of them.
    #[inline]
    pub(crate) const fn contain(self, byte: u8) -> bool {
        TABLE[byte as usize] & self.0 != 0
    }

    /// Whether all of `bytes` are.
    #[inline]
    pub(crate) fn contain_all(self, bytes: &[u8]) -> bool {
        // To look at all of them takes less time than to ask after each whether to go on.
        bytes.iter().fold(self.0, |all, &byte| all & TABLE[usize::from(byte)]) != 0
    }
}

/// Whether `value` is `1*DIGIT`, as numbers in fields are. `parse` would take a sign, too.
pub(crate) fn is_number(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(u8::is_ascii_digit)
}

/// The sets that each byte is in.
const TABLE: [u8; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < table.len() {
        let byte = at as u8;
        if byte.is_ascii_alphanumeric() {
            table[at] |= Characters::TOKEN.0 | Characters::NAME.0 | Characters::BASE64.0;
        }
        if matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~') {
            table[at] |= Characters::TOKEN.0;
        }
        if matches!(byte, b'-' | b'.') {
            table[at] |= Characters::NAME.0;
        }
        if matches!(byte, b'!'..=b'~') && !matches!(byte, b'#' | b'%') {
            table[at] |= Characters::RESOURCE.0;
        }
        if matches!(byte, b'+' | b'/') {
            table[at] |= Characters::BASE64.0;
        }
        at += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_what_the_standards_list() {
        for byte in 0..=u8::MAX {
            let listed = |others: &[u8]| byte.is_ascii_alphanumeric() || others.contains(&byte);
            assert_eq!(Characters::TOKEN.contain(byte), listed(b"!#$%&'*+-.^_`|~"), "{byte:#04x}");
            assert_eq!(Characters::NAME.contain(byte), listed(b"-."), "{byte:#04x}");
            assert_eq!(
                Characters::RESOURCE.contain(byte),
                listed(b"!\"$&'()*+,-./:;<=>?@[\\]^_`{|}~"),
                "{byte:#04x}"
            );
            assert_eq!(Characters::BASE64.contain(byte), listed(b"+/"), "{byte:#04x}");
        }
    }

    #[test]
    fn one_other_character_is_enough() {
        assert!(Characters::NAME.contain_all(b"server.example-1.com"));
        for at in 0..20 {
            let mut name = *b"server.example-1.com";
            name[at] = b'_';
            assert!(!Characters::NAME.contain_all(&name), "at {at}");
        }
        assert!(Characters::NAME.contain_all(b""));
    }
}
