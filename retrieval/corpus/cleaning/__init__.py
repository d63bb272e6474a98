"""What any loader may do to text: decode it, leave out machine data, write raised and struck-out words."""
