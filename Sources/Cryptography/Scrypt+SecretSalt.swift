internal import COpenSSL

extension Scrypt {
    /// Derives `count` bytes from a password and a salt that is a secret as well.
    ///
    /// - Throws: ``CryptographyError/library(function:reason:)``, also for a cost above 1 GiB.
    ///
    /// C: `EVP_PBE_scrypt`.
    public static func deriveKey(
        from password: SecretBytes,
        salt: SecretBytes,
        cost: Cost,
        count: Int
    ) throws(CryptographyError) -> SecretBytes {
        try SecretBytes(count: count) { output throws(CryptographyError) in
            try password.withUnsafeBytes { password throws(CryptographyError) in
                try salt.withUnsafeBytes { salt throws(CryptographyError) in
                    try openSSL("EVP_PBE_scrypt") {
                        EVP_PBE_scrypt(
                            password.baseAddress,
                            password.count,
                            salt.bytes,
                            salt.count,
                            cost.n,
                            UInt64(cost.r),
                            UInt64(cost.p),
                            1 << 30,
                            output.baseAddress,
                            output.count
                        )
                    }
                }
            }
        }
    }
}
