// SPDX-License-Identifier: Apache-2.0
import Logging
import Taxon

extension Logger.Metadata {
  /// With what a log should know of an error: its code and domain, its safe fields, its causes.
  func adding(_ error: any Error) -> Self {
    var metadata = self
    for pair in ErrorLogEntry(error).metadata { metadata[pair.key] = "\(pair.value)" }
    return metadata
  }
}
