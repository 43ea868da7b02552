// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors

/// The headers by which Envoy's fault filter is controlled, as gRPC A33 has them ("Header matching"): a status of gRPC, or one of HTTP,
/// a pause in milliseconds, and for each a percentage. As A33 says, a header with an invalid value is ignored, a percentage beyond
/// what the server allows is that, and pause and abort throw dice of their own.
struct EnvoyFaultHeaders: Sendable {
  static let prefix = "x-envoy-fault-"

  private let status: StatusCode?
  private let delay: Duration?
  /// Shares, 0 to 1.
  private let abortShare: Double
  private let delayShare: Double

  /// Nil when there is no valid header.
  init?(_ metadata: Metadata, maxShare: Double) {
    func number(_ name: String, _ range: ClosedRange<Int>) -> Int? {
      guard let text = metadata[Self.prefix + name], (1...10).contains(text.utf8.count),
        text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text), range.contains(number)
      else { return nil }
      return number
    }
    func share(_ name: String) -> Double {
      min(number(name, 0...Int(Int32.max)).map { Double($0) / 100 } ?? 1, maxShare)
    }
    // Where there are both, HTTP's counts (Envoy, "Controlling fault injection via HTTP headers").
    let http = number("abort-request", 200...599).map { $0 == 200 ? .unknown : StatusCode(httpStatus: $0) }
    status = http ?? number("abort-grpc-request", 0...Int(UInt32.max)).map { StatusCode(wire: Int32(clamping: $0)) }
    delay = number("delay-request", 1...3_600_000).map { .milliseconds($0) }
    if status == nil, delay == nil { return nil }
    abortShare = share("abort-request-percentage")
    delayShare = share("delay-request-percentage")
  }

  /// What happens to a call with these throws of the dice, each from 0 up to 1; nil: nothing.
  func fault(abort: Double, delay throwOfDelay: Double) -> Fault? {
    let delay = throwOfDelay < delayShare ? self.delay : nil
    if let status, abort < abortShare {
      return Fault.status(status).delayed(by: delay ?? .zero)
    }
    return delay.map { .delay($0) }
  }
}
