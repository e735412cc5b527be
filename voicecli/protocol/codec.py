"""Frames to events and back: reading is blind to the spelling, writing is spelled. The door to both."""

from voicecli.protocol.decoding import decode_client, decode_server, spelling_of
from voicecli.protocol.dialects import Lossy
from voicecli.protocol.encoding import encode, encode_server

__all__ = ["Lossy", "decode_client", "decode_server", "encode", "encode_server", "spelling_of"]
