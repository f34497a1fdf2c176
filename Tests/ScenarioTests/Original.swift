import TestSupport

/// What the original program wrote, as far as the scenarios need it.
enum Original {
    /// The password of its published demo.
    static let password = "my-password-eQ4al9jgPxlWDwxL6uiGdznhhVJzaVQPnkNRjwvwoTvqWpeBJJJZ"

    /// `TESTVAR`, encrypted by it under that password.
    static let encryptedVariable =
        "b2c8955bad9bc7520e09f42e7a24b34860745b6fad240368dcc201d2d175938f"
        + "55b5a404265c09f848c758aeb4248b7b32d63d1baad66a"

    /// What that decrypts to.
    static let variable = "this-is-my-new-test-api-key"

    /// The encrypted folder.
    static let storage = Fixtures.path("secure-store-demo/storage")

    /// Its configuration.
    static let configuration = Fixtures.path("secure-store-demo/encrypt.conf")

    /// SHA-256 of the three files, in `sha256sum`'s form.
    static let checksums = """
        b0422668d599097893bc03b12e580f109dd62f25a7c0d4202db8c62a9ebb8fbc  test1
        1d3246c2662834311bd9444858a24fe414d5faabd0e095c80855f50557ae0ad7  test2
        830b2afc66747598ea413017f24296d7d71bbe74ec7fc277fcebfcf362f644ec  test3
        """
}
