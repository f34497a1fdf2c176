internal import Cryptography

/// Runs a primitive and wraps its error.
func primitive<Result: ~Copyable>(
    _ body: () throws(CryptographyError) -> Result
) throws(VolumeFormatError) -> Result {
    do throws(CryptographyError) {
        return try body()
    } catch {
        throw .cryptography(error)
    }
}
