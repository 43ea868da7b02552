// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import Testing

@Suite struct StatusCodeTests {
  @Test func hasTheSeventeenCodesOfGRPCInTheirOrder() {
    #expect(
      StatusCode.allCases.map(\.name) == [
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
        "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
        "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
      ])
    #expect(StatusCode.allCases.map(\.rawValue) == Array(0...16))
  }

  @Test(arguments: StatusCode.allCases) func isFoundByItsNameAndItsNumber(code: StatusCode) {
    #expect(StatusCode(name: code.name) == code)
    #expect(StatusCode(wire: code.rawValue) == code)
    #expect(StatusCode(text: String(code.rawValue).utf8) == code)
    #expect("\(code)" == code.name)
  }

  @Test(arguments: [17, -1, Int32.max, Int32.min]) func takesAnUnknownNumberAsUnknown(number: Int32) {
    #expect(StatusCode(wire: number) == .unknown)
  }

  @Test func takesAnUnknownNumberInAHeaderAsUnknown() {
    #expect(StatusCode(text: "99".utf8) == .unknown)
    #expect(StatusCode(text: "9999999999".utf8) == .unknown)
  }

  @Test(arguments: ["", "five", "-1", "1.0", " 5", "00000000005"]) func refusesAHeaderThatIsNoNumber(text: String) {
    #expect(StatusCode(text: text.utf8) == nil)
  }

  @Test func hasNoUnknownName() {
    #expect(StatusCode(name: "NOPE") == nil)
  }

  @Test(arguments: [
    (400, StatusCode.internalError), (401, .unauthenticated), (403, .permissionDenied), (404, .unimplemented),
    (429, .unavailable), (502, .unavailable), (503, .unavailable), (504, .unavailable), (200, .unknown),
    (500, .unknown),
    (302, .unknown), (0, .unknown),
  ]) func readsHTTPStatusesAsGRPCSays(httpStatus: Int, code: StatusCode) {
    #expect(StatusCode(httpStatus: httpStatus) == code)
  }

  @Test func hasTheUsualHTTPStatus() {
    #expect(
      StatusCode.allCases.map(\.httpStatus) == [
        200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401,
      ])
  }
}
