// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonResilience
import TaxonTransport

extension Channel: CallInvoker {
  /// Makes a call, with as many attempts as the policy and the errors' declarations allow.
  public func unary<Request, Response, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>, _ request: Request, options: CallOptions
  ) async throws(Failure) -> Response {
    let deadline = deadline(options)
    if let intercepted = intercepted(method, options, deadline) {
      return try await call(intercepted, method, request, options, deadline)
    }
    return try await attempted(method, CallPlan(method, options, deadline), request)
  }

  @inline(__always)
  private func attempted<Request, Response, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>, _ plan: CallPlan, _ request: Request
  ) async throws(Failure) -> Response {
    var last: UnaryAttempt<Request, Response, Failure>?
    let error = await engine.run(plan) { wasRefused in
      let attempt = UnaryAttempt<Request, Response, Failure>(
        plan, request, on: engine.dispatcher, wasRefused: wasRefused)
      last = attempt
      return attempt
    }
    guard error == nil, let last else { throw Failure.lift(error ?? RPCError.cancelled) }
    return last.takeResponse()
  }

  // Not a part of `unary`, which would look up the types that only this takes.
  @inline(never)
  private func call<Request, Response, Failure>(
    _ intercepted: InterceptedCall, _ method: MethodDescriptor<Request, Response, Failure>, _ request: Request,
    _ options: CallOptions, _ deadline: NIODeadline?
  ) async throws(Failure) -> Response {
    var response: Response?
    try await intercepted.run(Failure.self) {
      let request = try intercepted.sending(request)
      let plan = intercepted.plan(method, options, deadline)
      response = try intercepted.receiving(try await attempted(method, plan, request))
    }
    guard let response else { throw Failure.lift(InterceptedCall.noAnswer).fromCall() }
    return response
  }

  /// A call with one request and any number of answers. It begins when the first answer is read, and is tried again, as
  /// the policy and the errors' declarations allow, until there is one.
  public func serverStreaming<Request, Response, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>, _ request: Request, options: CallOptions
  ) -> ResponseStream<Response, Failure> {
    let head = ResponseHead<Failure>()
    return ResponseStream(
      ResponseSource(head, onMessage: options.onMessage) { [self] () async throws(Failure) in
        let deadline = deadline(options)
        let intercepted = intercepted(method, options, deadline)
        let call = call(
          method, options, sendsManyMessages: false, takesManyMessages: true, intercepted: intercepted, head)
        if let intercepted = call.intercepted {
          intercepted.start { [engine] in
            await call.run(intercepted) {
              let request = try intercepted.call.sending(request)
              let plan = intercepted.call.plan(method, options, deadline)
              let failure = await engine.run(call, plan, request)
              return if let failure { failure } else { await call.end(intercepted) }
            }
          }
        } else if let failure = await engine.run(call, CallPlan(method, options, deadline), request) {
          let error = failure.error.map { Failure.lift($0) }
          head.end(error, initial: failure.initial, trailing: failure.trailing)
          if let error { throw error }
        }
        return (call.inbound, CallHandle { call.cancel() })
      })
  }

  /// Begins a call with any number of requests and one answer. It is tried once, and once more when the server did not
  /// process it and its messages are still at hand: 64 KiB of them are kept until the answer begins.
  public func clientStreaming<Request, Response, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>, options: CallOptions
  ) -> ClientStreamingCall<Request, Response, Failure> {
    let (sink, source) = begin(method, options, takesManyMessages: false)
    return ClientStreamingCall(sink, source)
  }

  /// Begins a call with any number of requests and of answers. It is tried as often as `clientStreaming` tries.
  public func bidirectional<Request, Response, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>, options: CallOptions
  ) -> BidirectionalCall<Request, Response, Failure> {
    let (sink, source) = begin(method, options, takesManyMessages: true)
    return BidirectionalCall(sink, ResponseStream(source))
  }

  private func begin<Request, Response, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>, _ options: CallOptions, takesManyMessages: Bool
  ) -> (RequestSink<Request, Failure>, ResponseSource<Response, Failure>) {
    let head = ResponseHead<Failure>()
    let deadline = deadline(options)
    let call = call(
      method, options, sendsManyMessages: true, takesManyMessages: takesManyMessages,
      intercepted: intercepted(method, options, deadline), head)
    if let intercepted = call.intercepted {
      intercepted.start {
        await call.run(intercepted) {
          call.start(intercepted.call.plan(method, options, deadline))
          return await call.end(intercepted)
        }
      }
    } else {
      call.start(CallPlan(method, options, deadline))
    }
    return (
      RequestSink(outbound: call.outbound, intercepted: call.intercepted),
      ResponseSource(head, running: call.inbound, CallHandle { call.cancel() }, onMessage: options.onMessage)
    )
  }

  // MARK: Parts

  /// When the call is to be over: as the options or the policy say, and no later than the call that the task works for.
  private func deadline(_ options: CallOptions) -> NIODeadline? {
    let own = (options.timeout ?? policy.timeout).map { engine.dispatcher.eventLoop.now + TimeAmount(saturating: $0) }
    guard let outer = CallDeadline.current else { return own }
    return own.map { min($0, outer) } ?? outer
  }

  /// The call with the interceptors that apply to it; nil when none does.
  @inline(__always)
  private func intercepted<Request, Response, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>, _ options: CallOptions, _ deadline: NIODeadline?
  ) -> InterceptedCall? {
    // The usual case, which should cost nothing.
    if interceptors.isEmpty { return nil }
    return InterceptedCall(
      interceptors, path: method.path, declared: Failure.self, options: options, deadline: deadline)
  }

  private func call<Request, Response, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>, _ options: CallOptions, sendsManyMessages: Bool,
    takesManyMessages: Bool, intercepted: InterceptedCall?, _ head: ResponseHead<Failure>
  ) -> StreamingCall<Request, Response, Failure> {
    StreamingCall(
      sendsManyMessages: sendsManyMessages, takesManyMessages: takesManyMessages, compression: options.compression,
      intercepted: intercepted, head: head, on: engine
    ) { [engine] end in
      engine.note(end.notes, method.path)
      options.onMetadata?(end.initial, end.trailing)
    }
  }
}

extension CallEngine {
  /// Attempts a call with one request and any number of answers, until its first message has come, or its end.
  ///
  /// - Returns: How the call has failed before that; nil: it goes on, or has ended well.
  fileprivate nonisolated(nonsending) func run<Request, Response, Failure>(
    _ call: StreamingCall<Request, Response, Failure>, _ plan: CallPlan, _ request: Request
  ) async -> CallEnd? {
    var last: StreamingAttempt<Request, Response, Failure>?
    let error = await run(plan, mayRepeat: { call.head.mayRepeat() }) { wasRefused in
      let attempt = call.makeAttempt(plan, request, wasRefused: wasRefused)
      last = attempt
      return attempt
    }
    guard let error else { return nil }
    let end = last?.end
    return CallEnd(
      error: Failure.lift(error), initial: end?.initial ?? Metadata(), trailing: end?.trailing ?? Metadata())
  }
}
