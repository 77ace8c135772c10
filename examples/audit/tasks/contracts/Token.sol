// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// A token with a fixed owner.
contract Token {
    address public immutable owner = msg.sender;
    mapping(address => uint256) public balances;
    uint256 public supply;

    modifier onlyOwner() {
        require(msg.sender == owner, "not the owner");
        _;
    }

    function mint(address to, uint256 amount) external {
        balances[to] += amount;
        supply += amount;
    }

    function burn(uint256 amount) external onlyOwner {
        balances[msg.sender] -= amount;
        supply -= amount;
    }

    function transfer(address to, uint256 amount) external {
        unchecked {
            balances[msg.sender] -= amount;
            balances[to] += amount;
        }
    }
}
