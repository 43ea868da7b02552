// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import NIOPosix
import TaxonErrors
import TaxonResilience
import TaxonTransport

/// Puts calls on subchannels. Called on the channel's loop.
protocol SubchannelOwner: AnyObject {
  /// The subchannel's state has changed.
  func subchannelChanged(_ subchannel: Subchannel)
  /// There may be room for another call.
  func subchannelHasRoom(_ subchannel: Subchannel)
  /// The server finds the PINGs too many.
  func subchannelPingedTooOften(_ subchannel: Subchannel)
}

/// One server, by one address or several, and the connection to it.
// @unchecked: its mutable state is reached on the event loop alone.
final class Subchannel: ClientConnectionOwner, @unchecked Sendable {
  /// Where the server is; a change counts from the next attempt on.
  var addresses: [SocketAddress]
  var settings: ConnectionSettings
  /// Guards the server; nil when the channel's policy has none. It outlives the connections.
  let breaker: CircuitBreaker?
  private let eventLoop: any EventLoop
  private let dialer: any Dialer
  weak var owner: (any SubchannelOwner)?
  @exclusivity(unchecked) private var machine: SubchannelState
  /// The connection that takes calls.
  @exclusivity(unchecked) private(set) var connection: ClientConnection?
  /// Why there is no connection; set when the state is `transientFailure`.
  private(set) var outage: Outage?
  private var outageLog: OutageLog
  /// When the last attempt began, and the first that failed since there was a connection of use.
  private var attemptBegan: NIODeadline
  private var failingSince: NIODeadline?
  private var deadline: NIODeadline
  private var retryTimer: Scheduled<Void>?
  /// Connections that are being made, by their channels: one for each address that is tried.
  private var fresh: [ObjectIdentifier: Fresh] = [:]
  /// The connection whose TLS handshake goes on, or which the server has not accepted yet with its SETTINGS.
  private var securing: ClientConnection?

  /// A connection, and what says that the server has accepted it.
  private typealias Fresh = (connection: ClientConnection, acceptance: EventLoopFuture<Void>)

  init(
    addresses: [SocketAddress], eventLoop: any EventLoop, dialer: any Dialer, settings: ConnectionSettings,
    state: SubchannelState, breaker: CircuitBreaker?, outageLog: OutageLog
  ) {
    self.addresses = addresses
    self.eventLoop = eventLoop
    deadline = eventLoop.now
    attemptBegan = eventLoop.now
    self.dialer = dialer
    self.settings = settings
    self.breaker = breaker
    self.outageLog = outageLog
    machine = state
  }

  var state: ConnectivityState { machine.state }

  /// Begins to connect, when there is no connection and no reason to wait.
  func connect() {
    eventLoop.assertInEventLoop()
    guard machine.state == .idle else { return }
    var generator = SystemRandomNumberGenerator()
    guard let deadline = machine.connect(at: eventLoop.now, using: &generator) else { return }
    self.deadline = deadline
    attemptBegan = eventLoop.now
    if failingSince == nil { failingSince = attemptBegan }
    let addresses = addresses
    owner?.subchannelChanged(self)
    let attempt = dialer.dial(addresses, on: eventLoop, timeout: deadline - eventLoop.now) { channel in
      channel.eventLoop.makeCompletedFuture { try self.adopt(channel, for: addresses) }
    }
    attempt.hop(to: eventLoop).whenComplete { result in
      let fresh = exchange(&self.fresh, with: [:])
      switch result {
      case .success(let channel): self.dialed(fresh[ObjectIdentifier(channel)])
      case .failure(let error): self.failed(self.outage(of: error, addresses))
      }
    }
  }

  private func adopt(_ channel: any NIOCore.Channel, for addresses: [SocketAddress]) throws {
    let connection = ClientConnection(
      channel: channel, settings: settings, address: addresses.count == 1 ? addresses[0].text : nil)
    connection.owner = self
    fresh[ObjectIdentifier(channel)] = (connection, try connection.start(isNamed: !addresses.isEmpty))
  }

  /// Why no address could be connected to.
  private func outage(of error: any Error, _ addresses: [SocketAddress]) -> Outage {
    let failures = (error as? NIOConnectionError)?.connectionErrors
    return Outage(
      phase: .connect, address: (failures?.last?.target ?? addresses.last)?.text,
      otherAddresses: max(failures?.count ?? addresses.count, 1) - 1, reason: ConnectionFailure.text(of: error),
      cause: error, since: failingSince ?? attemptBegan, began: attemptBegan, nextAttempt: eventLoop.now)
  }

  /// How a connection that was made has come to nothing.
  private func outage(of connection: ClientConnection, _ cause: (any Error)? = nil) -> Outage {
    Outage(
      phase: connection.lastPhase, address: connection.address, reason: connection.failureReason,
      cause: connection.failure ?? cause, since: failingSince ?? attemptBegan, began: attemptBegan,
      nextAttempt: eventLoop.now)
  }

  private func dialed(_ fresh: Fresh?) {
    guard let (connection, acceptance) = fresh else {
      preconditionFailure("a dialer hands out channels that were initialized")
    }
    guard connection.handler != nil else { return failed(outage(of: connection)) }
    securing = connection
    // The pause until the next attempt may be longer than a call should wait for a server that says nothing.
    let patience = min(deadline, eventLoop.now + settings.connectTimeout)
    let timer = eventLoop.assumeIsolated().scheduleTask(deadline: patience) { connection.giveUp() }
    acceptance.assumeIsolated().whenComplete { result in
      timer.cancel()
      self.securing = nil
      switch result {
      case .success: self.connected(connection)
      case .failure(let error): self.failed(self.outage(of: connection, error))
      }
    }
  }

  private func connected(_ connection: ClientConnection) {
    eventLoop.assertInEventLoop()
    guard machine.connected() else { return connection.beginShutdown() }
    // The GOAWAY may have come with the SETTINGS.
    guard !connection.isDraining else { return ended(.unused, outage(of: connection)) }
    self.connection = connection
    connection.established()
    outageLog.end(of: settings.target, at: connection.address, settings.logger)
    owner?.subchannelChanged(self)
  }

  private func failed(_ outage: Outage) { ended(.failed, outage) }

  private func ended(_ ending: SubchannelState.Ending, _ outage: @autoclosure () -> Outage) {
    eventLoop.assertInEventLoop()
    if let until = machine.ended(ending, at: eventLoop.now) {
      var outage = outage()
      outage.nextAttempt = until
      self.outage = outage
      outageLog.note(outage, of: settings.target, settings.logger)
      retryTimer = eventLoop.scheduleTask(deadline: until) { [weak self] in
        guard let self, self.machine.elapsed() else { return }
        self.owner?.subchannelChanged(self)
      }
    } else {
      failingSince = nil
    }
    owner?.subchannelChanged(self)
  }

  /// Lets the connection go when its calls have ended; the next call makes another.
  func disconnect() {
    eventLoop.assertInEventLoop()
    connection?.beginShutdown()
  }

  /// Makes no more connections; the one that is there closes when its calls have ended.
  func shutDown() {
    eventLoop.assertInEventLoop()
    machine.shutDown()
    retryTimer?.cancel()
    connection?.beginShutdown()
    let reason = "the channel is shut down"
    for fresh in fresh.values { fresh.connection.close(reason: reason) }
    securing?.close(reason: reason)
  }

  // MARK: From the connection

  func connectionChangedRoom(_ connection: ClientConnection) {
    eventLoop.assertInEventLoop()
    if connection === self.connection { owner?.subchannelHasRoom(self) }
  }

  func connectionEndedCall(_ connection: ClientConnection) {
    eventLoop.assertInEventLoop()
    if connection === self.connection { owner?.subchannelHasRoom(self) }
  }

  func connectionPingedTooOften(_ connection: ClientConnection) {
    owner?.subchannelPingedTooOften(self)
  }

  func connectionEnded(_ connection: ClientConnection) {
    eventLoop.assertInEventLoop()
    guard connection === self.connection else { return }
    self.connection = nil
    if connection.isUseless {
      // It was good until now, and no attempt is behind its failure.
      attemptBegan = eventLoop.now
      failingSince = attemptBegan
      return failed(outage(of: connection))
    }
    ended(connection.isUsed ? .used : .unused, outage(of: connection))
  }

  /// No attempt begins before.
  var nextAttempt: NIODeadline? { state == .transientFailure ? outage?.nextAttempt : nil }
}
