// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOPosix
import TaxonProtobuf
import TaxonTransport
import Testing

@testable import TaxonServer

/// What may be left of one test: what it has made, none of which it keeps.
package final class Leftovers: Sendable {
  /// Those of the test that runs.
  @TaskLocal static var current: Leftovers?

  private struct State {
    var objects: [WatchedObject] = []
    /// How many handlers each server runs.
    var handlers: [@Sendable () -> Int] = []
    /// What the sockets are of, by their numbers.
    var sockets: [UInt64: String] = [:]
    /// What each task is that goes on.
    var tasks: [Int: String] = [:]
    var taskCount = 0
    var loops: Set<ObjectIdentifier> = []
  }

  private let state = Locked(State())

  /// Those of the test that runs; a test which is not checked for them fails.
  package static var ofThisTest: Leftovers {
    if let current { return current }
    Issue.record("A test that has something watched needs the trait .leavesNothing, on itself or its suite")
    return Leftovers()
  }

  // MARK: What is watched

  /// Expects an object to be gone.
  ///
  /// - Parameter loop: Where it may be reached, and goes; nil: anywhere.
  func watch(_ object: AnyObject, _ name: String, on loop: (any EventLoop)? = nil) {
    state.withLock { $0.objects.append(WatchedObject(object, name, on: loop)) }
  }

  /// Expects that no handler runs.
  func watchHandlers(_ running: @escaping @Sendable () -> Int) {
    state.withLock { $0.handlers.append(running) }
  }

  /// Expects a task to be over.
  func watch(_ task: Task<Void, Never>, _ name: String) {
    let number = state.withLock { state in
      state.taskCount += 1
      state.tasks[state.taskCount] = name
      return state.taskCount
    }
    Task {
      await task.value
      state.withLock { $0.tasks[number] = nil }
    }
  }

  /// Expects a connection to be gone, with its socket in all descriptors, its session and their streams. Called on the
  /// channel's loop.
  package func watch(_ channel: any NIOCore.Channel, _ name: String) {
    let loop = channel.eventLoop
    watch(channel, "the NIO channel of \(name)", on: loop)
    watch(loop)
    let pipeline = channel.pipeline.syncOperations
    let inode = try? pipeline.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { OpenSocket.inode(of: $0) }
    if case let inode?? = inode {
      state.withLock { $0.sockets[inode] = name }
    }
    if let handler = try? pipeline.handler(type: HTTP1Handler.self) {
      watch(handler.connection, "HTTP/1.1 of \(name)", on: loop)
      watch(handler.connection.ledger, "the ledger of \(name), or an exchange that has it", on: loop)
      if let connection = handler.connection.delegate { watch(connection, name, on: loop) }
    }
    if let handler = try? pipeline.handler(type: ConnectionHandler.self) {
      watch(handler, "the channel handler of \(name)", on: loop)
      watch(handler.session, "the session of \(name)", on: loop)
      // Each stream on the server's end, and one that receives much on the client's, holds it.
      watch(handler.session.ledger, "the ledger of \(name), or a stream that has it", on: loop)
      if let delegate = handler.session.delegate {
        watch((delegate as? HTTP2Transport)?.connection ?? delegate, name, on: loop)
      }
    }
  }

  /// Expects a loop of a server's own to be gone, with its thread and descriptors.
  private func watch(_ loop: any EventLoop) {
    guard !Self.isShared(loop) else { return }
    guard state.withLock({ $0.loops.insert(ObjectIdentifier(loop)).inserted }) else { return }
    watch(loop, "an event loop, with its thread")
  }

  fileprivate static func isShared(_ loop: any EventLoop) -> Bool { sharedLoops.contains(ObjectIdentifier(loop)) }

  private static let sharedLoops = Set(
    MultiThreadedEventLoopGroup.singleton.makeIterator().map { ObjectIdentifier($0) })

  // MARK: What is left

  /// What is left, as soon as nothing is, and when the time is over.
  ///
  /// A connection that is closed is gone after some turns of its loop: each look waits for one of every loop.
  func found(within patience: Duration) async -> [String] {
    let end = ContinuousClock.now + patience
    while true {
      let found = await look()
      if found.isEmpty || ContinuousClock.now >= end { return found }
      for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() { try? await loop.submit {}.get() }
      await Task.yield()
    }
  }

  private func look() async -> [String] {
    let (objects, handlers, sockets, tasks) = state.withLock { ($0.objects, $0.handlers, $0.sockets, $0.tasks) }
    var found: [String] = []
    let running = handlers.reduce(0) { $0 + $1() }
    if running > 0 {
      found.append(running == 1 ? "a handler, which still runs" : "\(running) handlers, which still run")
    }
    found += tasks.values
    var left: [WatchedObject] = []
    for object in objects {
      let (isGone, text) = await object.look()
      if !isGone { left.append(object) }
      if let text { found.append(text) }
    }
    state.withLock { $0.objects = left }
    guard !sockets.isEmpty else { return found }
    return found + OpenSocket.inodes().compactMap { sockets[$0].map { "the socket of \($0)" } }
  }
}

/// An object that should be gone.
// @unchecked: written in init alone; looked at on its loop, or when that is gone.
private final class WatchedObject: @unchecked Sendable {
  private weak var object: AnyObject?
  private weak var loop: (any EventLoop)?
  private let name: String

  init(_ object: AnyObject, _ name: String, on loop: (any EventLoop)?) {
    self.object = object
    self.loop = loop
    self.name = name
  }

  /// Whether it is gone, and what is to be said of it.
  func look() async -> (isGone: Bool, text: String?) {
    guard let loop else { return (object == nil, text) }
    // One of a server's own may end at any moment, and then runs nothing. It is watched itself.
    guard Leftovers.isShared(loop) else { return (false, nil) }
    // To look at it keeps it for a moment, and it may only go on its loop.
    let found = try? await loop.submit { self.text }.get()
    return (found == .some(nil), found ?? nil)
  }

  private var text: String? {
    guard let object else { return nil }
    guard let session = object as? HTTP2Session, !session.streams.isEmpty else { return name }
    let count = session.streams.count
    return "\(name), which holds \(count == 1 ? "a stream" : "\(count) streams")"
  }
}
