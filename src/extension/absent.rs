//! Stands in for permessage-deflate where the feature `deflate` is off: types without values, whose methods can be called by
//! nobody.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::marker::PhantomData;

use super::{Element, WrongAnswer};
use crate::error::Failure;
use crate::role::Role;

#[derive(Debug, Clone)]
pub(crate) enum DeflateConfig {}

#[derive(Debug, Clone, Copy)]
pub(crate) enum DeflateParams {}

#[derive(Debug)]
pub(crate) enum Inflation {}

#[derive(Debug)]
pub(crate) enum Deflation {}

/// No compressed form.
pub(crate) struct Compressed<T>(PhantomData<T>);

impl DeflateConfig {
    pub(crate) fn accept<'a>(&self, _: impl Iterator<Item = Element<'a>>) -> Option<(DeflateParams, String)> {
        match *self {}
    }

    pub(crate) fn offer(&self) -> String {
        match *self {}
    }

    pub(crate) fn confirm<'a>(
        &self,
        _: impl Iterator<Item = Element<'a>>,
    ) -> Result<Option<DeflateParams>, WrongAnswer<'a>> {
        match *self {}
    }
}

impl DeflateParams {
    pub(crate) const fn no_context_takeover(&self, _: Role) -> bool {
        match *self {}
    }
}

impl Inflation {
    pub(crate) fn new(config: &DeflateConfig, _: bool, _: usize, _: u32) -> Box<Self> {
        match *config {}
    }

    pub(crate) fn begin(&mut self) {
        match *self {}
    }

    pub(crate) fn extend(&mut self, _: &[u8], _: bool) -> Result<(), Failure> {
        match *self {}
    }

    pub(crate) fn hold(&mut self, _: &[u8]) {
        match *self {}
    }

    pub(crate) fn next_piece(&mut self, _: bool) -> Result<bool, Failure> {
        match *self {}
    }

    pub(crate) fn has_held(&self) -> bool {
        match *self {}
    }

    pub(crate) fn held_bytes(&self) -> usize {
        match *self {}
    }

    pub(crate) fn output(&self) -> &[u8] {
        match *self {}
    }

    pub(crate) fn take_output(&mut self) -> (Vec<u8>, usize) {
        match *self {}
    }

    pub(crate) fn put_back(&mut self, _: Vec<u8>) {
        match *self {}
    }

    pub(crate) fn finish(&mut self) {
        match *self {}
    }

    pub(crate) fn release_buffer(&mut self) {
        match *self {}
    }
}

impl Deflation {
    pub(crate) fn new(config: &DeflateConfig, _: &DeflateParams, _: Role) -> Box<Self> {
        match *config {}
    }

    pub(crate) fn wants(&self, _: usize) -> bool {
        match *self {}
    }

    pub(crate) fn message(&mut self, _: &[u8]) -> Option<&[u8]> {
        match *self {}
    }

    pub(crate) fn fragment(&mut self, _: &[u8], _: bool) -> &[u8] {
        match *self {}
    }

    pub(crate) fn release_buffer(&mut self) {
        match *self {}
    }
}

impl<T> Default for Compressed<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T> Compressed<T> {
    pub(crate) fn get(&self, deflation: &mut Deflation, _: &[u8], _: impl FnOnce(&[u8]) -> T) -> Option<T> {
        match *deflation {}
    }
}
