// SPDX-License-Identifier: Apache-2.0

// The program that Tests/Polyglot/test_protobuf.py compares with Google's implementation: requests come on standard
// input, answers go to standard output.
while let request = try Pipe.receive() {
  try Pipe.send(Rewriting(request: request).answer)
}
