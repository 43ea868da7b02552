// SPDX-License-Identifier: Apache-2.0

/// Thrown inside of the JSON printer and parser, which know themselves what is wrong: an error without content costs
/// the functions that can throw it nothing.
struct JSONFault: Error {}
