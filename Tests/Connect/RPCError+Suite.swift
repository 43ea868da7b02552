// SPDX-License-Identifier: Apache-2.0
import Taxon

extension RPCError {
  /// The plain status that the suite wants raised, with the details it wants to go with it.
  init(_ error: SuiteError, and details: [Google_Protobuf_Any] = []) {
    self.init(StatusCode(wire: error.code.rawValue), error.message ?? "")
    context.details = ErrorDetails(error.details + details)
  }
}

extension SuiteError {
  /// What a call ended with, as the suite wants to be told.
  init(_ error: RPCError) {
    self.init(code: SuiteCode(rawValue: error.status.rawValue), message: error.message, details: Array(error.details))
  }
}
