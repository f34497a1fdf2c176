internal import COpenSSL

/// scrypt, RFC 7914.
public enum Scrypt {
    /// The cost of one derivation.
    public struct Cost: Equatable, Sendable {
        /// CPU and memory cost N: a power of two above 1.
        public let n: UInt64

        /// Block size r.
        public let r: UInt32

        /// Parallelisation p.
        public let p: UInt32

        /// Creates a cost; what the algorithm cannot take fails at derivation.
        public init(n: UInt64, r: UInt32, p: UInt32) {
            self.n = n
            self.r = r
            self.p = p
        }

        /// Memory of one derivation in bytes: 128·N·r.
        public var memoryCount: UInt64 { 128 &* n &* UInt64(r) }

        /// What rclone uses, N = 16384, r = 8, p = 1, which takes 16 MiB.
        public static let rclone = Cost(n: 16_384, r: 8, p: 1)
    }

    /// Derives `count` bytes from a password.
    ///
    /// - Throws: ``CryptographyError/library(function:reason:)``, also for a cost above 1 GiB.
    public static func deriveKey(
        from password: SecretBytes,
        salt: [UInt8],
        cost: Cost,
        count: Int
    ) throws(CryptographyError) -> SecretBytes {
        try deriveKey(
            from: password,
            salt: SecretBytes(copying: salt),
            cost: cost,
            count: count
        )
    }

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
                            (1 << 30) + (1 << 20),
                            output.baseAddress,
                            output.count
                        )
                    }
                }
            }
        }
    }
}
