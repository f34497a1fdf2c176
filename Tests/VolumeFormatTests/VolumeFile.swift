import Cryptography
import VolumeFormat

/// Whole encrypted files, made and read block by block with what is under test.
enum VolumeFile {
    static func encrypted(
        _ content: [UInt8],
        nonce: FileNonce = .random(),
        keys: RcloneKeys
    ) throws -> [UInt8] {
        let size = try RcloneContent.ciphertextCount(forPlaintext: UInt64(content.count))
        var file = [UInt8](repeating: 0, count: Int(size))
        try file.withUnsafeMutableBytes { file in
            try RcloneFileHeader(nonce: nonce).write(into: file)
            try content.withUnsafeBytes { content in
                for (index, plaintext, sealed) in try blocks(of: content.count) {
                    try RcloneContent.sealBlock(
                        UnsafeRawBufferPointer(rebasing: content[plaintext]),
                        index: index,
                        nonce: nonce,
                        keys: keys,
                        into: UnsafeMutableRawBufferPointer(rebasing: file[sealed])
                    )
                }
            }
        }
        return file
    }

    static func decrypted(_ file: [UInt8], keys: RcloneKeys) throws -> [UInt8] {
        let size = try RcloneContent.plaintextCount(forCiphertext: UInt64(file.count))
        var content = [UInt8](repeating: 0, count: Int(size))
        try content.withUnsafeMutableBytes { content in
            try file.withUnsafeBytes { file in
                let header = try RcloneFileHeader(parsing: file)
                for (index, plaintext, sealed) in try blocks(of: content.count) {
                    try RcloneContent.openBlock(
                        UnsafeRawBufferPointer(rebasing: file[sealed]),
                        index: index,
                        nonce: header.nonce,
                        keys: keys,
                        into: UnsafeMutableRawBufferPointer(rebasing: content[plaintext])
                    )
                }
            }
        }
        return content
    }

    private static func blocks(
        of count: Int
    ) throws -> [(index: UInt64, plaintext: Range<Int>, sealed: Range<Int>)] {
        try stride(from: 0, to: count, by: RcloneContent.blockCount).enumerated().map {
            index,
            start in
            let end = min(start + RcloneContent.blockCount, count)
            let offset = Int(try RcloneContent.offset(ofBlock: UInt64(index)))
            return (UInt64(index), start..<end, offset..<offset + end - start + 16)
        }
    }

    /// Bytes that are not alike anywhere, the same in every run.
    static func sample(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
        return (0..<count).map { _ in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return UInt8(truncatingIfNeeded: state >> 24)
        }
    }
}
