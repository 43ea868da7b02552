// SPDX-License-Identifier: Apache-2.0

/// What is wrong with bytes, before it is known whose they are.
struct WireFault: Error {
  let reason: MessageDecodingError.Reason
  let offset: Int
}
