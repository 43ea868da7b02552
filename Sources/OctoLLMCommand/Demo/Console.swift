// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Standard output, with colours where somebody sees them.
struct Console {
  enum Style: String {
    case bold = "1"
    case dim = "2"
    case red = "31"
    case green = "32"
    case yellow = "33"
    case cyan = "36"
  }

  private let isColoured: Bool

  init() {
    let environment = ProcessInfo.processInfo.environment
    // NO_COLOR counts when it is set to anything but the empty string (no-color.org).
    let isRefused = !(environment["NO_COLOR"] ?? "").isEmpty || environment["TERM"] == "dumb"
    isColoured = isatty(STDOUT_FILENO) == 1 && !isRefused
  }

  func styled(_ text: String, _ style: Style) -> String {
    isColoured ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
  }

  func line(_ text: String = "") {
    FileHandle.standardOutput.write(Data((text + "\n").utf8))
  }
}
