internal import Cryptography
internal import Linux

/// What a helper process tells the supervisor: kind (1 byte) ‖ length (4, big-endian) ‖ payload.
///
/// This is all the supervisor ever parses of what came from elsewhere.
enum Frame {
    /// What the payload is.
    enum Kind: UInt8 {
        /// Why there is no key yet: text.
        case cause = 1
        /// An encoded `KeyBundle`.
        case keys = 2
        /// It is over: exit code (1 byte) ‖ text.
        case failure = 3
        /// The volume is open and can be mounted: the name of its format.
        case opened = 4
        /// The mounted volume answers.
        case ready = 5
        /// A line for the log: level (1 byte) ‖ text.
        case line = 6
        /// An attempt brought no key: milliseconds until the next (4 bytes, big-endian).
        case wait = 7
        /// What has changed in a view was stored: 0, or 1 where not all could be ‖ text.
        case stored = 8
        /// A certificate to be kept: see `GivenCertificate`.
        case certificate = 9
        /// A token to be kept in place of the one there is.
        case token = 10
    }

    /// Bytes before the payload.
    static let headerCount = 5

    /// Longest payload: a key bundle.
    static let maximumPayloadCount = 65_536

    /// Longest text; the rest is cut off by who sends it.
    static let maximumTextCount = 2048
}

/// Takes frames off a pipe as they come, without waiting for the rest of one.
struct FrameReader: ~Copyable {
    /// What the other side is up to.
    enum Condition {
        /// More may come.
        case open
        /// It has closed its end.
        case closed
        /// It sent what is no frame: nothing more is read.
        case malformed
    }

    /// The pipe's end.
    let descriptor: OwnedDescriptor

    private var buffer: SecretBuffer

    /// Reads from a pipe that does not block.
    ///
    /// - Parameters:
    ///   - descriptor: The end to read from.
    ///   - maximumPayloadCount: The longest payload this side has reason to expect.
    init(_ descriptor: consuming OwnedDescriptor, maximumPayloadCount: Int) {
        self.descriptor = descriptor
        buffer = SecretBuffer(capacity: Frame.headerCount + maximumPayloadCount)
    }

    /// Most frames taken at once: a helper that never stops talking must not keep the supervisor
    /// from its signals.
    private static let batchCount = 32

    /// Hands over the frames that are complete by now.
    mutating func drain(_ body: (Frame.Kind, UnsafeRawBufferPointer) -> Void) -> Condition {
        var left = Self.batchCount
        while left > 0 {
            guard let wanted = wantedCount() else { return .malformed }
            if wanted == 0 {
                let handedOver = buffer.withUnsafeBytes { bytes in
                    guard let kind = Frame.Kind(rawValue: bytes[0]) else { return false }
                    body(kind, UnsafeRawBufferPointer(rebasing: bytes[Frame.headerCount...]))
                    return true
                }
                guard handedOver else { return .malformed }
                buffer.removeAll()
                left -= 1
                continue
            }
            do throws(Errno) {
                let count = try read(wanted)
                guard let count else { return .open }
                if count == 0 { return buffer.count == 0 ? .closed : .malformed }
            } catch {
                return .closed
            }
        }
        return .open
    }

    /// How many bytes are missing from the header, or else from the frame; nil where the frame
    /// would be too long.
    private borrowing func wantedCount() -> Int? {
        let held = buffer.count
        guard held >= Frame.headerCount else { return Frame.headerCount - held }
        let length = buffer.withUnsafeBytes { bytes in
            bytes[1..<Frame.headerCount].reduce(0) { $0 << 8 | Int($1) }
        }
        let total = Frame.headerCount + length
        return total <= buffer.capacity ? total - held : nil
    }

    private mutating func read(_ wanted: Int) throws(Errno) -> Int? {
        var isDry = false
        let count = try buffer.append(reading: { space throws(Errno) in
            let part = UnsafeMutableRawBufferPointer(rebasing: space.prefix(wanted))
            guard let count = try descriptor.readAvailable(into: part) else {
                isDry = true
                return 0
            }
            return count
        })
        return isDry ? nil : count
    }
}

/// Writes frames to the supervisor, waiting where its pipe is full.
struct FrameWriter: ~Copyable {
    private let descriptor: OwnedDescriptor

    /// Writes to a pipe that blocks.
    init(_ descriptor: consuming OwnedDescriptor) {
        self.descriptor = descriptor
    }

    /// Writes a frame; whether anybody was there to read it.
    @discardableResult
    borrowing func write(_ kind: Frame.Kind, _ payload: SecretBytes) -> Bool {
        let length = UInt32(truncatingIfNeeded: payload.count)
        let header = SecretBytes(copying: [
            kind.rawValue, UInt8(truncatingIfNeeded: length >> 24),
            UInt8(truncatingIfNeeded: length >> 16), UInt8(truncatingIfNeeded: length >> 8),
            UInt8(truncatingIfNeeded: length),
        ])
        // One frame, one call as far as the pipe allows: writers of several threads do not mix.
        return SecretBytes.concatenating([header, payload]).withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let part = UnsafeRawBufferPointer(rebasing: rest)
                guard let count = try? descriptor.writeAvailable(part) else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }

    /// Writes text, behind a byte where the kind has one.
    borrowing func write(_ kind: Frame.Kind, code: UInt8? = nil, _ text: String) {
        let bytes = text.utf8.prefix(Frame.maximumTextCount)
        write(kind, SecretBytes(copying: (code.map { [$0] } ?? []) + Array(bytes)))
    }
}
