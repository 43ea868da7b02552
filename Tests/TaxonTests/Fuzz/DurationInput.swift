// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonResilience

/// Takes an input apart; what is missing is zero or empty.
private struct Reader {
  private var rest: ArraySlice<UInt8>

  init(_ input: [UInt8]) { rest = input[...] }

  mutating func integer() -> Int64 {
    defer { rest = rest.dropFirst(8) }
    return rest.prefix(8).reduce(0) { $0 << 8 | Int64($1) }
  }
  mutating func number() -> Double { Double(bitPattern: UInt64(bitPattern: integer())) }
  /// Up to a zero.
  mutating func text() -> String {
    let bytes = rest.prefix { $0 != 0 }
    rest = rest.dropFirst(bytes.count + 1)
    return String(decoding: bytes, as: UTF8.self)
  }
  mutating func bytes() -> [UInt8] { Array(rest) }
}

private struct Seeded: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state
  }
}

/// Has durations that a peer, a schema or a caller might name go everywhere where one is read, waited for and written.
func fuzzDurations(_ input: [UInt8]) {
  var reader = Reader(input)
  let message = Google_Protobuf_Duration(
    seconds: reader.integer(), nanos: Int32(truncatingIfNeeded: reader.integer()))
  // As far beyond 64 bits of seconds as a Duration goes.
  let far = Duration(secondsComponent: reader.integer(), attosecondsComponent: reader.integer()) * 16
  let numbers = (reader.number(), reader.number(), reader.number(), reader.number())
  let attempt = Int(reader.integer())
  var generator = Seeded(state: UInt64(bitPattern: reader.integer()))
  let (pushback, retryAfter, timeout) = (reader.text(), reader.text(), reader.text())
  let bytes = reader.bytes()

  for duration in [Duration(message), far, Duration(boundedSeconds: numbers.0)] {
    convert(duration)
    write(duration)
    decide(duration, numbers, attempt, &generator)
  }
  if let timeout = Timeout.parse(Array(timeout.utf8)) {
    precondition(timeout >= .zero && timeout <= .longest, "a timeout of \(timeout)")
    convert(timeout)
  }
  read(message, bytes, pushback: pushback, retryAfter: retryAfter, attempt, &generator)
}

private func convert(_ duration: Duration) {
  precondition(Google_Protobuf_Duration(duration).isInBounds)
  let time = Google_Protobuf_Timestamp(sinceEpoch: duration)
  precondition(Google_Protobuf_Timestamp(sinceEpoch: (time + duration).sinceEpoch) == time + duration)
  precondition((try? time.jsonString()) != nil && (try? Google_Protobuf_Duration(duration).jsonString()) != nil)
  let nanoseconds = duration.clampedNanoseconds
  precondition(.nanoseconds(nanoseconds) <= duration + .nanoseconds(1) || nanoseconds == .min)
  precondition(Timeout.parse(Array(Timeout.format(duration).utf8)) != nil)
  precondition(!"\(duration.bounded)".isEmpty)
}

private func write(_ duration: Duration) {
  let error = RPCError(.unavailable).retryAfter(duration)
  let wire = WireStatus(error)
  precondition(wire.retryPushback.map { (0...Int64(Int32.max)).contains($0) } ?? true)
  precondition(ErrorBody(error).retryAfter.map { $0 >= 0 } ?? true)
  let received = RPCError.received(
    ReceivedStatus(code: wire.code, details: wire.details, pushback: wire.retryPushback.map(String.init))
  ).error
  // What is less than a nanosecond is cut off, and then the pushback says a millisecond.
  let hint = error.retryAfter?.hint
  precondition((received.retryAfter == nil) == (hint == nil), "\(received.retryAfter as Any) was \(hint as Any)")
}

private func decide(
  _ duration: Duration, _ numbers: (Double, Double, Double, Double), _ attempt: Int, _ generator: inout Seeded
) {
  let jitter =
    min(numbers.1, numbers.2) <= max(numbers.1, numbers.2)
    ? min(numbers.1, numbers.2)...max(numbers.1, numbers.2) : 1...1
  var backoff = Backoff(base: duration, factor: numbers.3, cap: duration, jitter: jitter)
  let error = RPCError(.unavailable).retryAfter(duration)
  for isRaw in [false, true] {
    if isRaw {
      // Past the initialiser.
      backoff.base = duration
      backoff.cap = duration
      backoff.factor = numbers.3
      backoff.jitter = jitter
    }
    let pause = backoff.delay(retry: attempt, using: &generator)
    precondition(pause >= .zero && pause <= .longest, "a pause of \(pause)")
    for policy in [RetryPolicy(maxRetries: .max), RetryPolicy(maxRetries: .max, backoff: backoff)] {
      for pushback in [nil, RetryPushback.after(duration)] {
        let decision = policy.decide(
          error, attempt: attempt, isIdempotent: true, timeLeft: .seconds(1), pushback: pushback, using: &generator)
        check(decision, hint: error.retryAfter, policy)
        check(
          policy.decide(
            error, attempt: attempt, isIdempotent: true, timeLeft: duration, pushback: pushback, using: &generator),
          hint: error.retryAfter, policy)
        check(
          policy.decide(error, attempt: attempt, isIdempotent: true, pushback: pushback, using: &generator),
          hint: error.retryAfter, policy)
      }
    }
  }
  var settings = CircuitBreaker.Settings(failureThreshold: 1)
  settings.openDuration = duration
  let breaker = CircuitBreaker(endpoint: "x", settings: settings)
  (try? breaker.acquire())?.settle(.failure)
  if let left = breaker.timeLeft { convert(left) }
}

private func check(_ decision: RetryDecision, hint: Duration?, _ policy: RetryPolicy) {
  precondition(!"\(decision)".isEmpty)
  guard case .retry(let delay, let reason) = decision else { return }
  precondition(delay >= .zero && delay <= .longest, "a delay of \(delay)")
  guard reason == .hint else { return }
  precondition(delay >= hint ?? .zero, "\(delay) is before \(hint ?? .zero)")
  precondition(delay <= max(.zero, policy.backoff.cap.bounded), "\(delay) is beyond the cap")
}

private func read(
  _ delay: Google_Protobuf_Duration, _ bytes: [UInt8], pushback: String, retryAfter: String, _ attempt: Int,
  _ generator: inout Seeded
) {
  let url = "type.googleapis.com/google.rpc.RetryInfo"
  let written = (try? Google_Rpc_RetryInfo(retryDelay: delay).encoded()) ?? []
  for info in [written, bytes] {
    let status = Google_Rpc_Status(code: 14, details: [.init(typeURL: url, value: info)])
    for (pushback, retryAfter) in [(nil, nil), (pushback, nil), (nil, retryAfter), (pushback, retryAfter)] {
      let error = RPCError.received(
        ReceivedStatus(
          code: .unavailable, details: try? status.encoded(), pushback: pushback, retryAfter: retryAfter)
      ).error
      precondition(error.retryAfter.map { $0 > .zero && $0 <= .longest } ?? true)
      check(
        RetryPolicy(maxRetries: .max).decide(error, attempt: attempt, isIdempotent: true, using: &generator),
        hint: error.retryAfter, RetryPolicy())
      // A relay.
      if let time = error.retryAfter { write(time) }
    }
  }
  // A whole status of the peer's.
  let error = RPCError.received(ReceivedStatus(code: .unavailable, details: bytes)).error
  precondition(error.retryAfter.map { $0 > .zero && $0 <= .longest } ?? true)
}
