"""The other ends of Doorstep's wires, as real servers on loopback: doorbells, agency, phone.

What lives here knows the published standards and nothing of the code under test: no module imports
`custom_components` or `agency`. The wire is built and checked by other people's code (jwcrypto,
aics-tlog, the `age` tools, bagit.py, @tus/server, go2rtc, mosquitto), so that agreement means
something. What no third party offers (the shapes of the JSON documents, the RTSP password check
that go2rtc skips on loopback, an ONVIF device, a Ring doorbell's topics) is written here from the
specification or from what the real ones send, and its docstring says so.
"""
