internal import Linux

extension Option {
    /// Every option there is.
    ///
    /// Flags win over variables, variables over defaults.
    static let table = keyAndVolume + commandAndSupervision + surroundings + original

    private static let keyAndVolume: [Option] = [
        // Key.
        Option(
            "key-source",
            .key,
            .value("URI") {
                $0.keySource = $1
                return nil
            },
            """
            https://HOST[:8443] key server; file:PATH; fd:N; env:NAME (taken out of the environment)
            """
        ),
        Option(
            "cert",
            .key,
            .value("PATH") {
                $0.certificatePath = $1
                return nil
            },
            """
            client certificate, PEM (./cert.pem); or base64 PEM in MTLS_CERT, which wins
            """
        ),
        Option(
            "key",
            .key,
            .value("PATH") {
                $0.privateKeyPath = $1
                return nil
            },
            """
            its private key, PEM (./key.pem); or base64 PEM in MTLS_KEY, which wins
            """
        ),
        Option(
            "ca",
            .key,
            .value("PATH") {
                $0.authorityPath = $1
                return nil
            },
            """
            who may sign the server's certificate, PEM; or base64 PEM in MTLS_CA; without either the \
            client certificate itself is trusted, as in the original
            """
        ),
        Option(
            "token-file",
            .key,
            .value("PATH") {
                $0.tokenPath = $1
                return nil
            },
            """
            bearer token instead of a client certificate; or STORE_TOKEN
            """
        ),
        Option(
            "credentials",
            .key,
            .value("DIR") {
                $0.credentialPath = $1
                return nil
            },
            """
            where this device keeps key.pem, cert.pem and ca.pem, and renews the certificate
            """
        ),
        Option(
            "enroll-token-file",
            .key,
            .value("PATH") {
                $0.enrolmentTokenPath = $1
                return nil
            },
            """
            one-time token that the first certificate in --credentials is obtained for; or \
            STORE_ENROLL_TOKEN
            """
        ),
        Option(
            "key-timeout",
            .key,
            .value("DURATION") { duration(&$0.keyTimeout, $1) },
            """
            give up after this long, exit 69 (never)
            """
        ),
        // Volume.
        Option(
            "env-only",
            .volume,
            .flag { $0.withoutVolume = $1 },
            """
            decrypt variables, mount nothing; needs neither privileges nor /dev/fuse
            """
        ),
        Option(
            "storage",
            .volume,
            .value("DIR") {
                $0.storage = $1
                return nil
            },
            """
            where the ciphertext is (./storage)
            """
        ),
        Option(
            "mount",
            .volume,
            .value("DIR") {
                $0.mountPoint = $1
                return nil
            },
            """
            where the decrypted view appears (./decrypted)
            """
        ),
        Option(
            "config",
            .volume,
            .value("FILE") {
                $0.configuration = $1
                return nil
            },
            """
            the volume's configuration (gocryptfs.conf in the storage, else ./encrypt.conf)
            """
        ),
        Option(
            "create",
            .volume,
            .value("auto|never") { creation(&$0, $1) },
            """
            whether an empty storage becomes a new volume on first start (auto)
            """
        ),
        Option(
            "format",
            .volume,
            .value("gocryptfs|rclone") { volumeFormat(&$0, $1) },
            """
            whose format a new volume has (gocryptfs); one that is there says it itself
            """
        ),
        Option("read-only", .volume, .flag { $0.readOnly = $1 }, "mount read-only"),
        Option(
            "journal",
            .volume,
            .flag { $0.keepsJournal = $1 },
            """
            no loss of power makes what was synchronised unreadable; writing over it waits for the \
            disk once more
            """
        ),
        Option(
            "view",
            .volume,
            .value("mount|memory") { view(&$0, $1) },
            """
            memory: no mount, but decrypted into the tmpfs that is at --mount already; read-only, \
            and needs neither privileges nor /dev/fuse (mount)
            """
        ),
        Option(
            "write-back",
            .volume,
            .flag { $0.writesBack = $1 },
            """
            with --view memory: encrypt changes at the end, and on secure-init sync
            """
        ),
        Option(
            "shared-storage",
            .volume,
            .flag { $0.sharesStorage = $1 },
            """
            others change the storage meanwhile: rely on nothing for longer than a second (slower)
            """
        ),
    ]

    init(_ name: String, _ section: Section, _ kind: Kind, _ help: String) {
        self.name = name
        self.section = section
        self.kind = kind
        self.help = help
    }
}
