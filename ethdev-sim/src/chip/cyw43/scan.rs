#[derive(Debug, Default)]
pub(super) struct Scanner;
