// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

// Synchronous: profilers that count instructions want a `main` that is a plain function.
RootCommand.main()
