// SPDX-License-Identifier: Apache-2.0
// The plugin generates what this module consists of.
