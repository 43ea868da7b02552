# SPDX-License-Identifier: Apache-2.0
"""The cases of h2spec's folder hpack, under its numbers and in its order."""

from h2spec import COMPRESSION, Case, Peer, Steps, connection_error, headers

HEADER_TABLE_SIZE = 1


def ending(octets: str) -> Case:
    """A header block that ends in an error."""
    return connection_error(lambda p: [headers(1, p.head() + bytes.fromhex(octets))], COMPRESSION)


def table_too_large(peer: Peer) -> Steps:
    """An update of the table's size to one byte more than the server allows."""
    rest = peer.settings.get(HEADER_TABLE_SIZE, 4096) + 1 - 31
    update = [0x20 | 31]
    while rest >= 128:
        update.append(0x80 | rest & 0x7F)
        rest >>= 7
    return [headers(1, bytes([*update, rest]) + peer.head())]


HPACK = {
    "2.3.3/1 an index without an entry": ending("c6"),
    "2.3.3/2 a literal whose name is an index without an entry": ending("7f 07 00"),
    "4.2/1 an update of the table's size at the end": ending("21"),
    "5.2/1 Huffman padding of more than 7 bits": ending("00 85 f2 b2 4a 84 ff 84 49 50 9f ff"),
    "5.2/2 Huffman padding of zeros": ending("00 85 f2 b2 4a 84 ff 83 49 50 90"),
    "5.2/3 Huffman with EOS": ending("00 85 f2 b2 4a 84 ff 87 49 51 ff ff ff fa 7f"),
    "6.1/1 index 0": ending("80"),
    "6.3/1 a table over SETTINGS_HEADER_TABLE_SIZE": connection_error(table_too_large, COMPRESSION),
}
