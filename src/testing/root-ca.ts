// The authority that an in-process cluster tells its pods to trust. It has no sockets, so nothing is ever signed by it (its key was thrown
// away); being a constant it costs no start-up time and is the same in every replay of a seed.
export const rootCa = `-----BEGIN CERTIFICATE-----
MIIBgDCCASegAwIBAgIUW9bcC1z36oF2s7j5sJFbkQcsqtEwCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKa3ViZXJuZXRlczAgFw0yNjExMjMwNTIyMjhaGA8yMTI2MTAz
MDA1MjIyOFowFTETMBEGA1UEAwwKa3ViZXJuZXRlczBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABAtCTFIrlO14B5xc1VCmZ0uNjup3jveuHofjIPejfsk+sB0ipT0s
suyS3dQ542/Dv/MaQAWFrW8ay8W+3pl5uX6jUzBRMB0GA1UdDgQWBBQNRIYj6CjL
BcCk2c4Dq2RlCa9gqzAfBgNVHSMEGDAWgBQNRIYj6CjLBcCk2c4Dq2RlCa9gqzAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIHkSpV+ebel+g8r6eaC4
mf1t7KiYrFZCqm35M2tngwq5AiBW5wPHt2TCNlxPd76r5saC+TF0NS73ntaX5gAt
vxpgpQ==
-----END CERTIFICATE-----
`;
