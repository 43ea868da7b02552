// SPDX-License-Identifier: Apache-2.0
import Foundation
import Taxon

extension Google_Protobuf_Timestamp {
  /// The moment, to the millisecond, as the database keeps it.
  init(_ date: Date) {
    let milliseconds = Int64((date.timeIntervalSince1970 * 1000).rounded())
    let seconds = milliseconds >= 0 ? milliseconds / 1000 : (milliseconds - 999) / 1000
    self.init(seconds: seconds, nanos: Int32(milliseconds - seconds * 1000) * 1_000_000)
  }

  /// The moment.
  public var date: Date {
    Date(timeIntervalSince1970: Double(seconds) + Double(nanos) / 1_000_000_000)
  }
}
