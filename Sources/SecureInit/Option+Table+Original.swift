extension Option {
    /// The original program's flags, with its defaults.
    static let original: [Option] = [
        // The original's.
        Option(
            "decrypt",
            .original,
            .flag { $0.decrypts = $1 },
            """
            ask the key server at -hostname and -port
            """
        ),
        Option(
            "local",
            .original,
            .secret("PASSWORD"),
            """
            the key itself; visible to who lists processes while secure-init starts: prefer file:
            """
        ),
        Option(
            "hostname",
            .original,
            .value("HOST") {
                $0.hostName = $1
                return nil
            },
            """
            the key server (localhost)
            """
        ),
        Option(
            "port",
            .original,
            .value("PORT") {
                $0.port = $1
                return nil
            },
            "its port (8443)"
        ),
        Option(
            "path",
            .original,
            .value("DIR") {
                $0.mountPoint = $1
                return nil
            },
            "--mount"
        ),
        Option(
            "config-path",
            .original,
            .value("F") {
                $0.configuration = $1
                return nil
            },
            """
            --config (./encrypt.conf)
            """
        ),
        Option(
            "certificate-path",
            .original,
            .value("F") {
                $0.certificatePath = $1
                return nil
            },
            "--cert (./cert.pem)"
        ),
        Option(
            "key-path",
            .original,
            .value("F") {
                $0.privateKeyPath = $1
                return nil
            },
            "--key (./key.pem)"
        ),
        Option(
            "force-unmount",
            .original,
            .flag { $0.forcesUnmount = $1 },
            """
            a dead mount in the way is detached (done anyway)
            """
        ),
    ]
}
