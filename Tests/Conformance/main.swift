// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

// The program that protobuf's conformance runner tests: requests come on standard input, responses go to standard output.
// Scripts/conformance builds it, with types generated from the runner's own schemas.
while let request = try Pipe.receive() {
  try Pipe.send(Testee.response(to: request).encoded())
}
