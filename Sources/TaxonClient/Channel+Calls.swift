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
    let call = UnaryClientCall<Request, Response, Failure>(plan(method, options, deadline), request)
    if let error = await engine.run(call) { throw Failure.lift(error) }
    return call.takeResponse()
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
      let call = UnaryClientCall<Request, Response, Failure>(plan(method, options, deadline), request)
      if let error = await engine.run(call) { throw Failure.lift(error) }
      let response = call.takeResponse()
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
        var last: AttemptEnd?
        do throws(Failure) {
          let options = try await started(method, options, interceptors)
          let watch = watch(method, options, interceptors, head)
          let plan = plan(method, options, deadline)
          var retrier: Retrier?
          while true {
            do throws(Failure) {
              return try await attempt(plan, request, watch, interceptors, head, wasRefused: last?.refusal != nil)
            } catch {
              let end = watch.attemptEnd(error)
              last = end
              let isCommitted = !head.mayRepeat()
              let mayRepeat = try await Failure.catching {
                try await engine.mayRepeat(plan, after: end, isCommitted: isCommitted, &retrier)
              }
              if !mayRepeat { throw error }
            }
          }
        } catch {
          let (initial, trailing) = (last?.initial ?? Metadata(), last?.trailing ?? Metadata())
          head.end(error, initial: initial, trailing: trailing)
          interceptors?.ended(method.path, error, initial: initial, trailing: trailing)
          throw error
        }
      })
  }

  /// Attempts a call until its first answer.
  private func attempt<Request: Message, Response: Message, Failure: ErrorUnion>(
    _ plan: CallPlan, _ request: Request, _ watch: CallWatch<Failure>, _ interceptors: ClientInterceptors?,
    _ head: ResponseHead<Failure>, wasRefused: Bool
  ) async throws(Failure) -> (InboundMessages<ReceivedMessage<Response>, Failure>, CallHandle) {
    watch.attempting()
    let call = StreamingClientCall<Request, Response, Failure>(
      .init(
        path: plan.path, options: plan.options, deadline: plan.deadline, request: request, takesManyMessages: true,
        interceptors: interceptors, head: head, wasRefused: wasRefused
      ) { watch.ended($0) }, on: engine)
    do throws(ConnectionError.CircuitOpen) {
      if let permit = try engine.permit() { call.admit(permit) }
    } catch {
      throw Failure.lift(error).fromCall()
    }
    let handle = CallHandle { call.cancel() }
    call.start()
    try await call.inbound.first()
    watch.keep()
    engine.succeeded(plan.options)
    return (call.inbound, handle)
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
    let watch = watch(method, options, interceptors, head)
    watch.keep()
    let deadline = deadline(options)
    let call = StreamingClientCall<Request, Response, Failure>(
      .init(
        path: method.path, options: options, deadline: deadline, request: nil,
        takesManyMessages: takesManyMessages, interceptors: interceptors, head: head,
        repeatsRefusedStreams: engine.repeatsRefusedStreams(plan(method, options, deadline))
      ) { watch.ended($0) }, on: engine)
    do throws(ConnectionError.CircuitOpen) {
      if let permit = try engine.permit() { call.admit(permit) }
      if interceptors == nil {
        call.start()
      } else {
        Task {
          do throws(Failure) {
            call.start(with: try await started(method, options, interceptors))
          } catch {
            call.refuse(error)
          }
        }
      }
    } catch {
      call.refuse(error)
    }
    return (
      RequestSink(outbound: call.outbound, interceptors: interceptors, path: method.path),
      ResponseSource(head, running: call.inbound, CallHandle { call.cancel() }, onMessage: options.onMessage)
    )
  }

  // MARK: Parts

  /// When the call is to be over: as the options or the policy say, and no later than the call that the task works for.
  private func deadline(_ options: CallOptions) -> NIODeadline? {
    let own = (options.timeout ?? policy.timeout).map { engine.core.eventLoop.now + TimeAmount(saturating: $0) }
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

  private func watch<Request, Response, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>, _ options: CallOptions, _ interceptors: ClientInterceptors?,
    _ head: ResponseHead<Failure>
  ) -> CallWatch<Failure> {
    CallWatch { [engine] end in
      engine.note(end.notes, method.path)
      head.end(end.error, initial: end.initial, trailing: end.trailing)
      options.onMetadata?(end.initial, end.trailing)
      interceptors?.ended(method.path, end.error, initial: end.initial, trailing: end.trailing)
    }
  }
}
