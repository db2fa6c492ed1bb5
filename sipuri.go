package videosdk

// URIRegion is the region in a SIP URI that calls come in to.
type URIRegion string

// The regions of inbound SIP URIs.
const (
	URIRegionIndia URIRegion = "in1"
	URIRegionUS    URIRegion = "us2"
)

// InboundSIPURI returns the URI to which a provider sends the calls of an
// organisation: sip:<orgID>.sip.videosdk.live, or with a region
// sip:<orgID>.<region>.sip.videosdk.live. The dashboard shows the id. If an id or a
// region cannot be part of a host name, the error is a [*ValidationError].
//
// https://docs.videosdk.live/telephony/managing-calls/handling-calls
func InboundSIPURI(orgID string, region URIRegion) (string, error) {
	var f faults
	const problem = "must be at most 63 letters, digits and hyphens, the first and the last no hyphen"
	f.check(isHostLabel(orgID), "orgID", problem)
	f.check(region == "" || isHostLabel(string(region)), "region", problem)
	if err := f.err("InboundSIPURI"); err != nil {
		return "", err
	}
	if region != "" {
		orgID += "." + string(region)
	}
	return "sip:" + orgID + ".sip.videosdk.live", nil
}

// isHostLabel reports whether s can be one label of a host name.
func isHostLabel(s string) bool {
	for _, r := range s {
		if r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return false
		}
	}
	return s != "" && len(s) <= 63 && s[0] != '-' && s[len(s)-1] != '-'
}
