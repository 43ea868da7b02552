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
    if let interceptors = ClientInterceptors(interceptors, path: method.path) {
      return try await intercepted(method, request, options, deadline, interceptors)
    }
    return try await attempted(method, request, options, deadline)
  }

  @inline(__always)
  private func attempted<Request, Response, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>, _ request: Request, _ options: CallOptions,
    _ deadline: NIODeadline?
  ) async throws(Failure) -> Response {
    let plan = plan(method, options, deadline)
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

  private func intercepted<Request, Response, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>, _ request: Request, _ options: CallOptions,
    _ deadline: NIODeadline?, _ interceptors: ClientInterceptors
  ) async throws(Failure) -> Response {
    let last = Locked((initial: Metadata(), trailing: Metadata()))
    let report = { (error: Failure?) in
      let metadata = last.withLock { $0 }
      interceptors.ended(method.path, error, initial: metadata.initial, trailing: metadata.trailing)
    }
    do throws(Failure) {
      var options = try await Failure.catching { try await interceptors.starting(method.path, options) }
      options.onMetadata = { [onMetadata = options.onMetadata] initial, trailing in
        last.withLock { $0 = (initial, trailing) }
        onMetadata?(initial, trailing)
      }
      interceptors.sending(request, method.path)
      let response = try await attempted(method, request, options, deadline)
      interceptors.receiving(response, method.path)
      report(nil)
      return response
    } catch {
      report(error)
      throw error
    }
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
        let interceptors = ClientInterceptors(interceptors, path: method.path)
        var last: StreamingAttempt<Request, Response, Failure>?
        do throws(Failure) {
          let options = try await started(method, options, interceptors)
          let call = call(method, request, options, takesManyMessages: true, interceptors, head)
          let plan = plan(method, options, deadline)
          let error = await engine.run(plan, mayRepeat: { head.mayRepeat() }) { wasRefused in
            let attempt = call.makeAttempt(plan, wasRefused: wasRefused)
            last = attempt
            return attempt
          }
          if let error { throw Failure.lift(error) }
          return (call.inbound, CallHandle { call.cancel() })
        } catch {
          let end = last?.end ?? CallEnd()
          head.end(error, initial: end.initial, trailing: end.trailing)
          interceptors?.ended(method.path, error, initial: end.initial, trailing: end.trailing)
          throw error
        }
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
    let interceptors = ClientInterceptors(interceptors, path: method.path)
    let head = ResponseHead<Failure>()
    let deadline = deadline(options)
    let call = call(method, nil, options, takesManyMessages: takesManyMessages, interceptors, head)
    if interceptors == nil {
      call.start(plan(method, options, deadline))
    } else {
      Task {
        do throws(Failure) {
          call.start(plan(method, try await started(method, options, interceptors), deadline))
        } catch {
          call.refuse(error)
        }
      }
    }
    return (
      RequestSink(outbound: call.outbound, interceptors: interceptors, path: method.path),
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

  private func plan<Request, Response, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>, _ options: CallOptions, _ deadline: NIODeadline?
  ) -> CallPlan {
    CallPlan(
      path: method.path, isIdempotent: method.idempotency.isSafeToRepeat, options: options, deadline: deadline)
  }

  private func started<Request, Response, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>, _ options: CallOptions, _ interceptors: ClientInterceptors?
  ) async throws(Failure) -> CallOptions {
    guard let interceptors else { return options }
    return try await Failure.catching { try await interceptors.starting(method.path, options) }
  }

  private func call<Request, Response, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>, _ request: Request?, _ options: CallOptions,
    takesManyMessages: Bool, _ interceptors: ClientInterceptors?, _ head: ResponseHead<Failure>
  ) -> StreamingCall<Request, Response, Failure> {
    StreamingCall(
      request: request, takesManyMessages: takesManyMessages, compression: options.compression,
      interceptors: interceptors, head: head, on: engine
    ) { [engine] end in
      engine.note(end.notes, method.path)
      head.end(end.error.map { Failure.lift($0) }, initial: end.initial, trailing: end.trailing)
      options.onMetadata?(end.initial, end.trailing)
      interceptors?.ended(method.path, end.error, initial: end.initial, trailing: end.trailing)
    }
  }
}
