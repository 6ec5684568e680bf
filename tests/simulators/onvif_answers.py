"""What an ONVIF camera answers about itself: bodies of SOAP envelopes."""

from datetime import datetime
from typing import Final

from .soap import NAMESPACES


def services(base: str) -> str:
    """List the services, each with its address."""
    version = "<tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version>"
    listed = "".join(
        f"<tds:Service><tds:Namespace>{NAMESPACES[prefix]}</tds:Namespace>"
        f"<tds:XAddr>{base}/onvif/{name}_service</tds:XAddr>{version}</tds:Service>"
        for prefix, name in (("tds", "device"), ("trt", "media"), ("tev", "events"))
    )
    return f"<tds:GetServicesResponse>{listed}</tds:GetServicesResponse>"


def capabilities(base: str) -> str:
    """List the same in the older form, with what the event service can do."""
    events = "".join(
        f"<tt:{name}>{value}</tt:{name}>"
        for name, value in (
            ("WSSubscriptionPolicySupport", "false"),
            ("WSPullPointSupport", "true"),
            ("WSPausableSubscriptionManagerInterfaceSupport", "false"),
        )
    )
    parts = "".join(
        f"<tt:{name}><tt:XAddr>{base}/onvif/{name.lower()}_service</tt:XAddr>{rest}</tt:{name}>"
        for name, rest in (
            ("Device", ""),
            ("Events", events),
            ("Media", "<tt:StreamingCapabilities/>"),
        )
    )
    return (
        "<tds:GetCapabilitiesResponse><tds:Capabilities>"
        f"{parts}</tds:Capabilities></tds:GetCapabilitiesResponse>"
    )


def date(now: datetime) -> str:
    """Tell the device's time (UTC)."""
    time = f"<tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute>"
    month = f"<tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month>"
    return (
        "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime>"
        "<tt:DateTimeType>NTP</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>"
        "<tt:TimeZone><tt:TZ>UTC0</tt:TZ></tt:TimeZone><tt:UTCDateTime>"
        f"<tt:Time>{time}<tt:Second>{now.second}</tt:Second></tt:Time><tt:Date>{month}<tt:Day>{now.day}</tt:Day></tt:Date>"
        "</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
    )


def information(serial: str) -> str:
    """Tell who made it."""
    facts = {
        "Manufacturer": "Example",
        "Model": "Video Doorbell",
        "FirmwareVersion": "1.0",
        "SerialNumber": serial,
        "HardwareId": "1",
    }
    listed = "".join(f"<tds:{name}>{value}</tds:{name}>" for name, value in facts.items())
    return f"<tds:GetDeviceInformationResponse>{listed}</tds:GetDeviceInformationResponse>"


def interfaces(mac: str) -> str:
    """Tell its only network interface: clients know the device by its address."""
    return (
        '<tds:GetNetworkInterfacesResponse><tds:NetworkInterfaces token="eth0">'
        "<tt:Enabled>true</tt:Enabled><tt:Info><tt:Name>eth0</tt:Name>"
        f"<tt:HwAddress>{mac}</tt:HwAddress><tt:MTU>1500</tt:MTU></tt:Info>"
        "</tds:NetworkInterfaces></tds:GetNetworkInterfacesResponse>"
    )


def uri(name: str, uri: str) -> str:
    """Tell an address of a picture or stream."""
    return (
        f"<trt:{name}Response><trt:MediaUri><tt:Uri>{uri}</tt:Uri>"
        "<tt:InvalidAfterConnect>false</tt:InvalidAfterConnect>"
        "<tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout>"
        f"</trt:MediaUri></trt:{name}Response>"
    )


MEDIA: Final = (
    '<trt:GetServiceCapabilitiesResponse><trt:Capabilities SnapshotUri="true">'
    '<trt:ProfileCapabilities MaximumNumberOfProfiles="1"/>'
    '<trt:StreamingCapabilities RTP_RTSP_TCP="true"/>'
    "</trt:Capabilities></trt:GetServiceCapabilitiesResponse>"
)
PROFILES: Final = (
    '<trt:GetProfilesResponse><trt:Profiles token="main" fixed="true"><tt:Name>main</tt:Name>'
    '<tt:VideoEncoderConfiguration token="video"><tt:Name>video</tt:Name><tt:UseCount>1'
    "</tt:UseCount><tt:Encoding>H264</tt:Encoding><tt:Resolution><tt:Width>640</tt:Width>"
    "<tt:Height>360</tt:Height></tt:Resolution><tt:Quality>5</tt:Quality>"
    "<tt:SessionTimeout>PT60S</tt:SessionTimeout></tt:VideoEncoderConfiguration>"
    "</trt:Profiles></trt:GetProfilesResponse>"
)
