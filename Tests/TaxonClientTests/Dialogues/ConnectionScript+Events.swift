// SPDX-License-Identifier: Apache-2.0

extension ConnectionScript {
  typealias Act = (ServerConnection) -> Void

  /// Something that concerns the connection, or a stream by chance.
  static func event(_ random: inout RandomSource) -> (String, Act) {
    switch random.number(0...19) {
    case 0, 1:
      let entries = legalSettings(&random)
      return ("SETTINGS \(entries)", { $0.sendSettings(entries) })
    case 2:
      let payload = random.bytes(8)
      return ("PING", { $0.send(FrameBytes.frame(.ping, payload)) })
    case 3: return harmless(&random)
    case 4, 5, 6, 7, 8: return goAway(&random)
    case 9, 10, 11, 12: return reset(&random)
    case 13: return window(&random)
    case 14: return flood(&random)
    case 15, 16: return fault(&random)
    default: return end(&random)
    }
  }

  /// What every client has to put up with.
  private static func harmless(_ random: inout RandomSource) -> (String, Act) {
    let bytes = random.bytes(random.pick([0, 1, 100]))
    let stream = random.pick([0, 1, 2, 3, 5, 99])
    switch random.number(0...3) {
    case 0:
      let type = UInt8(random.pick([0x0c, 0x0d, 0x20, 0xff]))
      return ("unknown frame \(type)", { $0.send(FrameBytes.frame(type, stream: stream, bytes)) })
    case 1:
      return ("PRIORITY", { $0.send(FrameBytes.frame(.priority, stream: max(1, stream), [0, 0, 0, 0, 16])) })
    case 2:
      return (
        "WINDOW_UPDATE on a closed stream",
        { connection in
          guard let id = connection.closedStream else { return }
          connection.send(FrameBytes.windowUpdate(id, 10))
        }
      )
    default:
      return (
        "RST_STREAM on a closed stream",
        { connection in
          guard let id = connection.closedStream else { return }
          connection.send(FrameBytes.reset(id, 8))
        }
      )
    }
  }

  private static func goAway(_ random: inout RandomSource) -> (String, Act) {
    let code = random.pick([0, 0, 0, 0, 1, 2, 11, 13, 99])
    let place = random.number(0...6)
    let text = random.pick(["", "max_age", "too_many_pings"])
    return (
      "GOAWAY \(code) place \(place) \(text)",
      { connection in
        let highest = max(0, connection.highestStream)
        let last =
          switch place {
          case 0: 0
          case 1, 2: highest
          case 3: max(0, highest - 2)
          case 4: highest / 2
          case 5: highest + 2
          default: 0x7fff_ffff
          }
        connection.sendGoAway(last, code, text)
      }
    )
  }

  private static func reset(_ random: inout RandomSource) -> (String, Act) {
    let code = random.pick(Array(0...13) + [7, 8, 500])
    let place = random.number(0...20)
    return ("RST_STREAM \(code) on stream \(place) of those that are open", { $0.resetOpenStream(place, code) })
  }

  private static func window(_ random: inout RandomSource) -> (String, Act) {
    let increment = random.pick([1, 100, 65_535, 1 << 20])
    switch random.number(0...2) {
    case 0: return ("WINDOW_UPDATE \(increment)", { $0.send(FrameBytes.windowUpdate(0, increment)) })
    case 1:
      return (
        "WINDOW_UPDATE \(increment) on an open stream",
        { connection in
          guard let id = connection.openStreams.first else { return }
          connection.send(FrameBytes.windowUpdate(id, increment))
        }
      )
    default:
      let increment = random.pick([0, 0x7fff_ffff, 0xffff_ffff])
      return ("WINDOW_UPDATE \(increment)", { $0.breakRule(FrameBytes.windowUpdate(0, increment)) })
    }
  }

  private static func flood(_ random: inout RandomSource) -> (String, Act) {
    let (name, frame): (String, [UInt8]) =
      switch random.number(0...5) {
      case 0: ("PING", FrameBytes.frame(.ping, [UInt8](repeating: 0, count: 8)))
      case 1: ("SETTINGS", FrameBytes.settings())
      case 2: ("PRIORITY", FrameBytes.frame(.priority, stream: 1, [0, 0, 0, 0, 16]))
      case 3: ("PING answered", FrameBytes.frame(.ping, flags: FrameFlags.ack, [UInt8](repeating: 9, count: 8)))
      case 4: ("SETTINGS acknowledged", FrameBytes.frame(.settings, flags: FrameFlags.ack))
      default: ("unknown", FrameBytes.frame(0x30, []))
      }
    let count = random.pick([2, 150, 1500])
    return (
      "\(count) times \(name)",
      { connection in
        for _ in 0..<10 { connection.breakRule([UInt8]((0..<count / 10).map { _ in frame }.joined())) }
      }
    )
  }

  /// What ends a connection.
  private static func fault(_ random: inout RandomSource) -> (String, Act) {
    let noise = random.bytes(random.number(1...200))
    let (name, bytes): (String, [UInt8]) =
      switch random.number(0...23) {
      case 0: ("SETTINGS with a window of 2^31", FrameBytes.settings([(SettingID.initialWindowSize, 0x8000_0000)]))
      case 1: ("SETTINGS with frames of 16383 bytes", FrameBytes.settings([(SettingID.maxFrameSize, 16_383)]))
      case 2: ("SETTINGS with frames of 2^24 bytes", FrameBytes.settings([(SettingID.maxFrameSize, 1 << 24)]))
      case 3: ("SETTINGS that allow pushes", FrameBytes.settings([(SettingID.enablePush, 1)]))
      case 4: ("SETTINGS of 5 bytes", FrameBytes.frame(.settings, [0, 3, 0, 0, 0]))
      case 5: ("SETTINGS on a stream", FrameBytes.frame(.settings, stream: 1))
      case 6:
        ("SETTINGS acknowledged with a body", FrameBytes.frame(.settings, flags: FrameFlags.ack, [0, 3, 0, 0, 0, 1]))
      case 7: ("PING of 7 bytes", FrameBytes.frame(.ping, [1, 2, 3, 4, 5, 6, 7]))
      case 8: ("PING on a stream", FrameBytes.frame(.ping, stream: 1, [1, 2, 3, 4, 5, 6, 7, 8]))
      case 9: ("GOAWAY of 7 bytes", FrameBytes.frame(.goAway, [0, 0, 0, 0, 0, 0, 0]))
      case 10: ("RST_STREAM on an idle stream", FrameBytes.reset(9999, 8))
      case 11: ("RST_STREAM on stream 0", FrameBytes.reset(0, 8))
      case 12: ("RST_STREAM on a stream of the server's", FrameBytes.reset(2, 8))
      case 13: ("DATA on an idle stream", FrameBytes.data(9999, [1, 2, 3]))
      case 14: ("DATA on stream 0", FrameBytes.data(0, [1, 2, 3]))
      case 15: ("HEADERS on an idle stream", FrameBytes.headers(9999, Answer.head))
      case 16: ("HEADERS on a stream of the server's", FrameBytes.headers(2, Answer.head))
      case 17:
        (
          "PUSH_PROMISE",
          FrameBytes.frame(.pushPromise, flags: FrameFlags.endHeaders, stream: 1, FrameBytes.number(2, 4))
        )
      case 18: ("CONTINUATION", FrameBytes.frame(.continuation, flags: FrameFlags.endHeaders, stream: 1, [0x88]))
      case 19: ("a frame that is too long", FrameBytes.frame(.ping, [UInt8](repeating: 0, count: 20_000)))
      case 20: ("HTTP/1.1", Array("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".utf8))
      case 21: ("TLS", [0x15, 3, 1, 0, 2, 2, 70])
      case 22: ("WINDOW_UPDATE on an idle stream", FrameBytes.windowUpdate(9999, 1))
      default: ("noise", noise)
      }
    return (name, { $0.breakRule(bytes) })
  }

  /// The connection is gone.
  private static func end(_ random: inout RandomSource) -> (String, Act) {
    switch random.number(0...2) {
    case 0: return ("closes", { $0.close() })
    case 1: return ("breaks", { $0.breakOff() })
    default:
      let count = random.number(1...15)
      return (
        "closes in a frame",
        { connection in
          let frame = FrameBytes.headers(max(1, connection.highestStream), Answer.head)
          connection.breakRule(Array(frame.prefix(count)))
          connection.close()
        }
      )
    }
  }
}
